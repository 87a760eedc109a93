import numpy as np

from analysis.papers.poole2016 import FAR, NEAR, STDS
from tests.analysis.papers.rows import table


def lengths(layers):
    """Lengths that meet within so many layers."""

    def decades(rows):
        off = np.log10(rows["input_norm"]) * 0.01 ** (rows["layer"] / layers)
        return 0.5 * np.log10(rows["width"]) + np.where(rows["layer"] < layers, off, 0.0)

    axes = {"scale": list(STDS), "input_norm": [0.3, 1.0, 3.0], "width": [64], "depth": [20], "layer": range(1, 20)}
    return {"signals.layers": table({"log10_activation": decades}, noise=1e-6, **axes)}


def pairs(end, growth):
    """Correlations that end there, and 1 - c that grows by that factor a layer."""

    def cosine(rows):
        far = end + (FAR - end) * np.exp(-rows["depth"] / 4)
        return np.where(rows["correlation"] == FAR, far, 1 - 1e-6 * growth ** rows["depth"])

    axes = {"scale": list(STDS), "input_norm": [1.0], "correlation": [FAR, NEAR], "depth": [5, 7, 10, 14, 20]}
    return {"signals.pairs": table({"cosine_last": cosine}, noise=1e-10, **axes)}


EXAMPLES = {
    "lengths converge": (lengths(4), lengths(18)),
    "ordered": (pairs(0.99, 1.0), pairs(0.1, 1.0)),
    "chaotic": (pairs(0.1, 1.585), pairs(0.99, 1.0)),
    "stretching": (pairs(0.1, 1.585), pairs(0.1, 1.0)),
}
