import numpy as np

from analysis.papers.xiong2020 import DEEPEST, DEPTHS, LENGTH, NAMES, PRE, WIDTH
from tests.analysis.papers.rows import table


def depth(pre, post):
    """Last gradients that are these powers of the depth."""
    powers = {name: pre if name == PRE else post for name in NAMES}
    values = {"log10_grad_last": lambda rows: rows["architecture"].map(powers) * np.log10(rows["depth"])}
    return {"depth": table(values, architecture=list(NAMES), depth=DEPTHS)}


def layers(variance, rise):
    """A stream that grows by that variance a block, and gradients that rise by so many decades."""
    values = {
        "log10_activation": lambda rows: np.log10((1 + variance * rows["layer"]) * WIDTH * LENGTH) / 2,
        "log10_grad": lambda rows: 1 + rise * rows["layer"] / DEEPEST,
    }
    return {"depth.layers": table(values, architecture=list(NAMES), depth=[DEEPEST], layer=[1, DEEPEST - 1])}


EXAMPLES = {
    "post-LN's last": (depth(-0.5, 0.0), depth(-0.5, -0.5)),
    "pre-LN's last": (depth(-0.5, 0.0), depth(0.0, 0.0)),
    "pre-LN's stream": (layers(1.0, 2.0), layers(4.0, 2.0)),
    "post-LN's first": (layers(1.0, 2.0), layers(1.0, 0.0)),
}
