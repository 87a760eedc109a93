import numpy as np

from analysis.papers.balduzzi2017 import LAYERS, NORMALIZED, PLAIN, RESIDUAL
from tests.analysis.papers.rows import table


def pairs(plain, residual, power):
    """Correlations that fall by these factors a layer, or as a power of their number."""

    def correlation(rows):
        layers, kind = rows["layers"].to_numpy(float), rows["kind"]
        normalized = np.where(kind == NORMALIZED, layers**power, residual**layers)
        return np.where(kind == PLAIN, plain**layers, normalized)

    return {"pairs": table({"correlation": correlation}, kind=[PLAIN, RESIDUAL, NORMALIZED], layers=LAYERS)}


FINE, SLOW = pairs(0.5, 0.75, -0.5), pairs(0.9, 0.9, -1.5)
EXAMPLES = dict.fromkeys(("halves", "white noise", "skips help", "sublinear"), (FINE, SLOW))
