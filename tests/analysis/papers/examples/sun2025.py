import numpy as np

from analysis.papers.sun2025 import BLOCKS, NAMES, PRE
from tests.analysis.papers.rows import table


def deep(pre, scaled, fall=0.1):
    """Variances that are these powers of l, and cotangents that change by so many decades from the middle on."""

    def decades(rows):
        return 0.9 + np.where(rows["architecture"] == PRE, pre, scaled) * np.log10(rows["layer"]) / 2

    values = {"log10_activation": decades, "log10_delta": lambda rows: 1 - fall * rows["layer"] / BLOCKS}
    return {"deep.layers": table(values, architecture=list(NAMES), layer=[8, 16, BLOCKS // 2, BLOCKS])}


EXAMPLES = {
    "pre-LN's variance": (deep(1.0, 0.2), deep(0.5, 0.2)),
    "scaling's bounds": (deep(1.0, 1.5), deep(1.0, 0.2)),
    "scaling helps": (deep(1.0, 0.2), deep(1.0, 1.0)),
    "gradients of pre-LN": (deep(1.0, 0.2), deep(1.0, 0.2, fall=5.0)),
}
