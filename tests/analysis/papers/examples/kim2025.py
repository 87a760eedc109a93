import numpy as np

from analysis.papers.kim2025 import BLOCKS, NAMES, PRE, SCALES, WIDTH
from tests.analysis.papers.rows import table


def deep(pre, peri, damped=-1.0):
    """Variances that are 1 + σ² l, with σ² the scale to these powers, and gradients that are a power of it."""

    def activation(rows):
        power = np.where(rows["architecture"] == PRE, pre, peri)
        return np.log10(WIDTH * (1 + rows["scale"] ** power * rows["layer"])) / 2

    values = {"log10_activation": activation, "log10_grad": lambda rows: 1 + damped * np.log10(rows["scale"])}
    axes = {"architecture": list(NAMES), "scale": list(SCALES), "layer": [8, 16, 32, BLOCKS]}
    return {"deep.layers": table(values, noise=1e-4, **axes)}


FINE = deep(2.0, 0.0)
EXAMPLES = {
    "peri-LN is linear": (FINE, deep(2.0, 2.0)),
    "peri-LN is robust": (FINE, deep(2.0, 2.0)),
    "pre-LN is not": (FINE, deep(0.0, 0.0)),
    "peri-LN damps": (FINE, deep(2.0, 0.0, damped=0.0)),
}
