import numpy as np

from analysis.papers.hayou2021 import DEEPEST, DEPTHS, NAMES, PLAIN
from tests.analysis.papers.rows import table


def layers(plain, stable):
    """Squares that grow by the first factor a block, and by the second one in all."""

    def decades(rows):
        along = np.where(rows["layer"] == 1, rows["depth"], rows["layer"] - rows["layer"].min())
        grown = np.where(rows["architecture"] == PLAIN, along * np.log10(plain), np.log10(stable))
        return grown / 2

    def activation(rows):
        return np.where(rows["layer"] == 1, 0.9, 0.9 + np.log10(stable) / 2)

    values = {"log10_delta": decades, "log10_activation": activation}
    return {"depth.layers": table(values, architecture=list(NAMES), depth=DEPTHS, layer=[1, DEEPEST - 1])}


def cosines(plain, stable):
    values = {"cosine": lambda rows: np.where(rows["architecture"] == PLAIN, plain, stable)}
    return {"depth": table(values, architecture=list(NAMES), depth=DEPTHS)}


EXAMPLES = {
    "explodes": (layers(2.0, np.e), layers(1.0, np.e)),
    "stable gradient": (layers(2.0, 2.6), layers(2.0, 50.0)),
    "stable signal": (layers(2.0, 2.6), layers(2.0, 50.0)),
    "kernel degenerates": (cosines(0.98, 0.25), cosines(0.25, 0.98)),
    "kernel stays": (cosines(0.98, 0.25), cosines(0.25, 0.98)),
}
