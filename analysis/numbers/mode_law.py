"""What a deep linear network should lose while it learns mode by mode, and how far it is off (Saxe et al. 2014)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.rows.select import distinct, facet_title, facets, varying
from bench.settings.defaults import VALUES
from bench.settings.specs import parse_spec
from bench.theory.deep_linear import aligned_loss

NETWORK = ("depth", "scale", "learning_rate")
PLAIN = {"optimizer": "sgd", "schedule": "constant", "clip": 0.0}
LAWLESS = "no law of modes but for plain SGD at one constant rate for all layers"
POINTS = 200  # of a line


def is_aligned(frame: pd.DataFrame) -> bool:
    """Whether these curves, of one task, are of weights that begin aligned: the task ``saxe:aligned=true``."""
    return not str(frame["task"].iloc[0]).endswith(".npz") and bool(_arguments(frame).get("aligned"))


def has_law(frame: pd.DataFrame) -> bool:
    """Whether these curves, of one optimizer, schedule, clipping and task, are of gradient descent from aligned weights.

    That is plain SGD at one constant learning rate for all layers.
    """
    if not is_aligned(frame):
        return False
    plain = all(distinct(frame, name) == [value] for name, value in PLAIN.items())
    return plain and bool((frame["readout_learning_rate"] == frame["learning_rate"]).all())


def law_of(frame: pd.DataFrame, steps: np.ndarray) -> np.ndarray:
    """[steps]: the loss that the law gives the networks of one depth, scale and learning rate before those steps.

    ::

        loss = ½ Σ (s - u(rate · step))²,   u(0) = scale^L

    u: :func:`bench.theory.deep_linear.learned_modes`. frame: rows of ``load_curves`` with :func:`has_law`.
    """
    one = frame.iloc[0]
    values = np.atleast_1d(np.asarray(_arguments(frame).get("values", VALUES), float))
    start, times = float(one["scale"]) ** int(one["depth"]), float(one["learning_rate"]) * np.asarray(steps, float)
    return aligned_loss(np.abs(values).tolist(), start=start, matrices=int(one["depth"]), times=times)


def law_line(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Steps, 0 and log-spaced to the last, and the law's loss there; arguments are those of :func:`law_of`."""
    last = max(float(distinct(frame, "step")[-1]), 1.0)
    steps = np.concatenate([[0.0], np.geomspace(min(0.1, last), last, POINTS)])
    return steps, law_of(frame, steps)


def largest_deviation(frame: pd.DataFrame) -> float:
    """Largest difference of a recorded loss and the law, over all seeds, as a share of the law's first loss.

    A step of gradient descent is not the flow's: to first order in the learning rate they differ.
    """
    steps = np.array(distinct(frame, "step"), dtype=float)
    law = law_of(frame, steps)
    expected = law[np.searchsorted(steps, frame["step"])]
    return float(np.max(np.abs(frame["loss"].to_numpy(float) - expected)) / law[0])


def describe_law(frame: pd.DataFrame) -> list[str]:
    """A line for each setting, depth, scale and learning rate of aligned curves: how far it is from the law, or no law."""
    law = "of the first loss of τ u' = N u^(2-2/N) (s - u), at every recorded step"
    lines, named = [], varying(frame)
    for facet, of_facet in facets(frame):
        if not is_aligned(of_facet):
            continue
        if not has_law(of_facet):
            lines.append(f"{facet_title(facet, named)}: {LAWLESS}")
            continue
        groups: Any = of_facet.groupby(list(NETWORK), sort=True, observed=True)
        for (depth, scale, rate), rows in groups:
            network = f"{facet_title(facet, named)}, L = {depth}, scale {scale:g}, learning rate {rate:g}"
            lines.append(f"{network}: within {100 * largest_deviation(rows):.2g} % {law}")
    return lines


def _arguments(frame: pd.DataFrame) -> dict:
    text = str(frame["task"].iloc[0])
    return dict(parse_spec("task", text, (text.partition(":")[0],)).arguments)
