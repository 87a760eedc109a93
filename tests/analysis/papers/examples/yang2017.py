import numpy as np

from analysis.papers.yang2017 import DEPTHS, LAST, WIDTH
from tests.analysis.papers.rows import table


def grown(tanh, plain):
    """Decades that are these powers of the depth."""
    residual = {"log10_delta": lambda rows: 0.05 * rows["depth"] ** tanh}
    alone = {"log10_grad_first": lambda rows: np.log10(WIDTH) / 2 + 0.05 * rows["depth"] ** plain}
    return {"tanh.layers": table(residual, depth=DEPTHS, layer=[1]), "plain": table(alone, noise=1e-4, depth=DEPTHS)}


def lengths(tanh, relu):
    """Squared lengths that are a power of the block's index, or grow by a factor a block."""
    axes = {"depth": [DEPTHS[-1]], "layer": [10, 40, 80, 160, LAST]}
    power = {"log10_activation": lambda rows: 0.9 + tanh * np.log10(rows["layer"]) / 2}
    factor = {"log10_activation": lambda rows: 0.9 + rows["layer"] * np.log10(relu) / 2}
    return {"tanh.layers": table(power, **axes), "relu.layers": table(factor, **axes)}


EXAMPLES = {
    "tanh's length": (lengths(1.0, 2.0), lengths(2.0, 2.0)),
    "tanh's gradient": (grown(0.5, 1.0), grown(1.0, 1.0)),
    "plain tanh": (grown(0.5, 1.0), grown(0.5, 0.5)),
    "ReLU's length": (lengths(1.0, 2.0), lengths(1.0, 1.0)),
}
