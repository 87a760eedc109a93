import numpy as np

from analysis.papers.klambauer2017 import DEEPEST, NORMS
from tests.analysis.papers.rows import table


def lengths(end, rate):
    """Mean squares that approach ``end`` by that factor a layer."""

    def decades(rows):
        log_square = np.log(end) + np.log(rows["input_norm"]) * rate ** rows["layer"]
        return (log_square + np.log(rows["width"])) / 2 / np.log(10)

    axes = {"width": [64], "input_norm": list(NORMS), "depth": [DEEPEST], "layer": range(1, DEEPEST)}
    return {"selu.layers": table({"log10_activation": decades}, noise=1e-7, **axes)}


def gradients(factor):
    decades = {"log10_grad_first": lambda rows: rows["depth"] * np.log10(factor)}
    return {"selu": table(decades, input_norm=[1.0], depth=[2, 8, 16, 32])}


EXAMPLES = {
    "fixed point": (lengths(1.0, 0.78), lengths(2.0, 0.78)),
    "contraction": (lengths(1.0, 0.7826), lengths(1.0, 0.95)),
    "no explosion": (gradients(1.0), gradients(1.07)),
}
