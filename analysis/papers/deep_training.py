"""What papers on residual networks without normalization claim of training: that deep ones learn, how fast, or do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.papers.claim import Claim, Range
from analysis.papers.learning import growth, learn
from analysis.papers.paper import training

HE: dict[str, Any] = {"activations": "relu", "initializers": "he_gaussian", "scales": 1.0}
SIZES = {"smoke": (2, 10), "quick": (12, 120), "full": (24, 1000)}  # seeds, steps
RATES = (0.003, 0.03, 0.1, 0.3)
MAJORITY = 0.5  # of 12 networks at least 10 have to agree for the interval of their share to lie on one side of it


def trained(size: str, architectures: Sequence[str], depths: tuple[int, int]) -> Any:
    """Handwritten digits, to 90 % of the examples, at two depths."""
    seeds, steps = SIZES[size]
    return training(
        **HE,
        architectures=tuple(architectures),
        depths=depths,
        widths=32,
        learning_rates=RATES[1] if size == "smoke" else RATES,
        steps=steps,
        batch=32,
        seeds=seeds,
        target="accuracy=0.9",
    )


def learns(architecture: str, depth: int, **words: str) -> Claim:
    """Most networks of that depth learn."""
    return Claim(
        **words,
        quantity=f"share of networks of {depth} layers that learn, at the best rate",
        measure=learn(architecture, depth),
        accepts=Range(MAJORITY, 1.0),
    )


def fails(architecture: str, depth: int, **words: str) -> Claim:
    """Most networks of that depth do not learn, at no rate that others learn at."""
    return Claim(
        **words,
        quantity=f"share of networks of {depth} layers that learn, at the best rate of {RATES[0]:g} to {RATES[-1]:g}",
        measure=learn(architecture, depth),
        accepts=Range(0.0, MAJORITY),
    )


def learns_as_fast(architecture: str, depths: tuple[int, int], **words: str) -> Claim:
    """Learning times grow by less than half of the factor by which the depth does."""
    shallow, deep = depths
    return Claim(
        **words,
        quantity=f"steps at {deep} layers over steps at {shallow}, accepted below half of {deep / shallow:g}",
        measure=growth(architecture, depths),
        accepts=Range(0.0, deep / shallow / 2),
    )
