import numpy as np

from analysis.papers.martens2021 import CORRELATIONS, DEPTH, NEAR
from tests.analysis.papers.rows import table


def pairs(shaped, relu, apart=1.5):
    """What orthogonal inputs become in both, and by what factor the others are moved apart in the shaped one."""
    axes = {"depth": [10, DEPTH], "correlation": CORRELATIONS}

    def separated(rows):
        return np.where(rows["correlation"] == NEAR, 1 - apart * (1 - NEAR), shaped)

    return {
        "shaped.pairs": table({"cosine_last": separated}, noise=1e-5, **axes),
        "relu.pairs": table({"cosine_last": lambda rows: relu + 0 * rows["depth"]}, **axes),
    }


def gradients(factor):
    values = {"log10_grad_first": lambda rows: 1 + rows["depth"] / DEPTH * np.log10(factor) / 2}
    return {"shaped": table(values, depth=[10, 30, DEPTH])}


EXAMPLES = {
    "ReLU degenerates": (pairs(0.0, 0.98), pairs(0.0, 0.5)),
    "shaped keeps 0": (pairs(0.01, 0.98), pairs(0.5, 0.98)),
    "slope at 1": (pairs(0.0, 0.98), pairs(0.0, 0.98, apart=0.1)),
    "gradient": (gradients(1.4), gradients(100.0)),
}
