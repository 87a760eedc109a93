import numpy as np

from analysis.papers.wang2022 import DEEPEST, DEEPNORM, DEPTHS, NAMES
from tests.analysis.papers.rows import table


def depth(deepnorm, post):
    """Updates that are these powers of the number of blocks."""

    def decades(rows):
        return 1 + np.where(rows["architecture"] == DEEPNORM, deepnorm, post) * np.log10(rows["depth"] - 1) / 2

    return {"depth": table({"log10_grad_global": decades}, architecture=list(NAMES), depth=DEPTHS)}


def layers(decades):
    """Gradients that change by so many decades a block."""
    values = {"log10_grad": lambda rows: 1 + decades * rows["layer"]}
    return {"depth.layers": table(values, architecture=list(NAMES), depth=[DEEPEST], layer=range(1, DEEPEST + 1))}


EXAMPLES = {
    "DeepNorm's update": (depth(0.0, 1.0), depth(1.0, 1.0)),
    "post-LN's update": (depth(0.0, 1.0), depth(0.0, 0.0)),
    "DeepNorm's gradient": (layers(0.0), layers(0.1)),
}
