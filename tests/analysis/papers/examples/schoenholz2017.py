import numpy as np
import pandas as pd

from analysis.papers.schoenholz2017 import BIAS, CHAOTIC, ORDERED
from bench.theory import fixed_point
from tests.analysis.papers.rows import learned, table

POINTS = {each: fixed_point("tanh", weight_std=each**0.5, bias_std=BIAS**0.5) for each in (ORDERED, CHAOTIC, 1.2, 1.5)}
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
    """Networks that are trained to so many ξ_c."""

    def steps(rows):
        xi = (rows["scale"] ** 2).round(6).map({each: POINTS[each].xi_c for each in (1.2, 1.5)})
        return np.where(rows["depth"] <= times * xi * 1.001, 10.0, np.inf)

    depths = sorted({*np.ceil([times * POINTS[each].xi_c for each in (1.2, 1.5)]).astype(int), 1, 4000})
    return {"train": learned(steps, scale=[1.2**0.5, 1.5**0.5], depth=[*depths, *(each - 1 for each in depths[1:-1])])}


def factors(edge):
    variances = np.linspace(1.0, 3.0, 9)
    return {"factors": pd.DataFrame({"variance": variances, "chi1": 1 + 0.1 * (variances - edge)})}


EXAMPLES = {
    "correlation depth": (signals(1.0), signals(2.0)),
    "gradients vanish": (signals(1.0), signals(2.0)),
    "gradients explode": (signals(1.0), signals(2.0)),
    "edge of chaos": (factors(1.76), factors(2.2)),
    "trainable to 6 ξ_c": (trained(6), trained(30)),
}
