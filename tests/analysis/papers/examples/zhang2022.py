import numpy as np

from analysis.papers.zhang2022 import DEPTH
from tests.analysis.papers.rows import table


def pairs(relu, leaky):
    """What orthogonal inputs become."""
    axes = {"depth": [10, DEPTH], "correlation": [0.0, 0.5]}
    found = {"relu.pairs": relu, "leaky.pairs": leaky}
    return {name: table({"cosine_last": lambda rows, c=c: c + 0 * rows["depth"]}, **axes) for name, c in found.items()}


def gradients(factor):
    values = {"log10_grad_first": lambda rows: 1 + rows["depth"] / DEPTH * np.log10(factor) / 2}
    return {name: table(values, depth=[10, 30, DEPTH]) for name in ("leaky", "tanh")}


EXAMPLES = {
    "ReLU degenerates": (pairs(0.98, 0.9), pairs(0.5, 0.9)),
    "C(0) = 0.9": (pairs(0.98, 0.9), pairs(0.98, 0.5)),
    "leaky gradient": (gradients(1.0), gradients(100.0)),
    "smooth gradient": (gradients(1.0), gradients(0.01)),
}
