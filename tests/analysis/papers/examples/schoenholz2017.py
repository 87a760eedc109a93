import numpy as np
import pandas as pd

from analysis.papers.schoenholz2017 import BIAS, CHAOTIC, ORDERED
from bench.theory import fixed_point
from tests.analysis.papers.rows import learned, table

POINTS = {each: fixed_point("tanh", weight_std=each**0.5, bias_std=BIAS**0.5) for each in (ORDERED, CHAOTIC)}
AXES = {"scale": [ORDERED**0.5, CHAOTIC**0.5], "depth": [2, 8, 16, 32]}


def signals(times):
    """Correlations and gradients whose rates are so many times theory's."""
    rate = {scale: times * np.log(POINTS[round(scale**2, 6)].chi1) for scale in AXES["scale"]}
    xi = POINTS[ORDERED].xi_c / times

    def decades(rows):
        return rows["depth"] * rows["scale"].map(rate) / 2 / np.log(10)

    return {
        "signals": table({"log10_grad_first": decades}, **AXES),
        "signals.pairs": table({"cosine_last": lambda rows: 1 - np.exp(-rows["depth"] / xi)}, noise=1e-6, **AXES),
    }


def trained(times):
    """Networks that are trained to so many ξ_c, in both phases."""
    frames = {}
    for phase, variance in (("ordered", ORDERED), ("chaotic", CHAOTIC)):
        last = round(times * POINTS[variance].xi_c)
        steps = {depth: 10.0 if depth <= last else np.inf for depth in (1, last, last + 1, 4000)}
        frames[phase] = learned(lambda rows, steps=steps: rows["depth"].map(steps), scale=[variance**0.5], depth=list(steps))
    return frames


def factors(edge):
    variances = np.linspace(1.0, 3.0, 9)
    return {"factors": pd.DataFrame({"variance": variances, "chi1": 1 + 0.1 * (variances - edge)})}


EXAMPLES = {
    "correlation depth": (signals(1.0), signals(2.0)),
    "gradients vanish": (signals(1.0), signals(2.0)),
    "gradients explode": (signals(1.0), signals(2.0)),
    "edge of chaos": (factors(1.76), factors(2.2)),
    "trainable to 6 ξ_c, ordered": (trained(6), trained(30)),
    "trainable to 6 ξ_c, chaotic": (trained(6), trained(2)),
}
