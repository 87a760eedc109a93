"""What papers on residual networks without normalization claim of training: that deep ones learn, how fast, or do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.papers.claim import Claim, Range
from analysis.papers.learning import FEW, MOST, fail, growth, learn
from analysis.papers.measures import Measure
from analysis.papers.paper import training

HE: dict[str, Any] = {"activations": "relu", "initializers": "he_gaussian", "scales": 1.0}
SIZES = {"smoke": (2, 40), "quick": (16, 240), "full": (24, 1000)}  # seeds, steps
RATES = (0.003, 0.03, 0.1, 0.3)


def trained(size: str, architectures: Sequence[str], depths: tuple[int, int]) -> Any:
    """Handwritten digits, to 90 % of the examples, at two depths."""
    seeds, steps = SIZES[size]
    return training(
        **HE,
        architectures=tuple(architectures),
        depths=depths,
        widths=32,
        learning_rates=RATES[-1] if size == "smoke" else RATES,
        steps=steps,
        batch=32,
        seeds=seeds,
        target="accuracy=0.9",
    )


def _share(measure: Measure, depth: int, accepts: Range, words: dict[str, Any]) -> Claim:
    rates = f"the rate of {RATES[0]:g} to {RATES[-1]:g} that is best for others"
    quantity = f"share of networks of {depth} layers that learn, at {rates}"
    return Claim(**words, quantity=quantity, measure=measure, accepts=accepts)


def learns(architecture: str, depth: int, **words: Any) -> Claim:
    """Most networks of that depth learn."""
    return _share(learn(architecture, depth), depth, MOST, words)


def fails(architecture: str, depths: tuple[int, int], **words: Any) -> Claim:
    """Few networks of the second depth learn, where most of the first do."""
    shallow, deep = (learn(architecture, depth) for depth in depths)
    return _share(fail(deep, shallow), depths[1], FEW, words)


def learns_as_fast(architecture: str, depths: tuple[int, int], **words: Any) -> Claim:
    """Learning times grow by less than half of the factor by which the depth does."""
    shallow, deep = depths
    return Claim(
        **words,
        quantity=f"steps at {deep} layers over steps at {shallow}, accepted below half of {deep / shallow:g}",
        measure=growth(architecture, depths),
        accepts=Range(0.0, deep / shallow / 2),
    )
