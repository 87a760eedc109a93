import numpy as np

from analysis.papers.yang2019 import ACTIVATIONS, COUNT, DEPTHS, SCALES, linear_rate, relu_rate
from tests.analysis.papers.rows import table


def depth(relu, linear, by_scale=0.0, cosine=0.2857):
    """Squared gradients that grow by these factors a layer, and by so many decades more at the larger scale."""
    found = {}
    for name, factor in zip(ACTIVATIONS, (relu, linear), strict=True):

        def decades(rows, factor=factor):
            return rows["depth"] * (np.log10(factor) / 2 + by_scale * (rows["scale"] > 1))

        values = {"log10_grad_first": decades, "cosine": lambda rows: cosine + 0 * rows["depth"]}
        found[name] = table(values, scale=list(SCALES), depth=DEPTHS)
    return found


FINE, CALM = depth(relu_rate(COUNT), linear_rate(COUNT)), depth(1.0, 1.0, cosine=0.9)
EXAMPLES = {
    "ReLU's rate": (FINE, CALM),
    "linear rate": (FINE, CALM),
    "no variance helps": (FINE, depth(1.5, 1.1, by_scale=0.1)),
    "fixed point": (FINE, CALM),
}
