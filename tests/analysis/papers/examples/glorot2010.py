import numpy as np

from analysis.papers.glorot2010 import HIDDEN, NAMES
from tests.analysis.papers.rows import table


def layers(delta, weights):
    """Gradients that change by these factors a layer downwards."""
    values = {
        "log10_delta": lambda rows: -rows["layer"] * np.log10(delta),
        "log10_grad": lambda rows: -rows["layer"] * np.log10(weights),
    }
    return {"layers.layers": table(values, initializer=list(NAMES), layer=range(1, HIDDEN + 2))}


def jacobians(value):
    values = {"singular": lambda rows: value + 0 * rows["layer"]}
    return {"jacobians": table(values, initializer=list(NAMES), layer=range(1, HIDDEN + 1))}


EXAMPLES = {
    "standard backward": (layers(0.577, 1.0), layers(1.0, 1.0)),
    "normalized backward": (layers(1.0, 1.0), layers(0.577, 1.0)),
    "weight gradients": (layers(0.577, 1.0), layers(0.577, 0.577)),
    "normalized jacobian": (jacobians(0.8), jacobians(0.5)),
    "standard jacobian": (jacobians(0.5), jacobians(0.8)),
}
