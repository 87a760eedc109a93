import numpy as np

from analysis.papers.pascanu2013 import DEEPEST
from tests.analysis.papers.rows import table


def rates(**factors):
    """Gradients that change by these factors a step back in time, at each of two scales."""
    found = {}
    for name, of_scales in factors.items():

        def decades(rows, of_scales=of_scales):
            return (DEEPEST - rows["layer"]) * np.log10(rows["scale"].map(of_scales))

        axes = {"scale": list(of_scales), "layer": range(1, DEEPEST, 10)}
        found[f"{name}.layers"] = table({"log10_delta": decades}, **axes)
    return found


FINE = rates(linear={0.9: 0.9, 1.1: 1.1}, tanh={0.9: 0.6, 1.1: 0.7}, sigmoid={2.0: 0.4, 4.0: 0.9})
WRONG = rates(linear={0.9: 1.05, 1.1: 0.9}, tanh={0.9: 1.1, 1.1: 1.1}, sigmoid={2.0: 1.2, 4.0: 1.2})
NAMES = ("linear vanishes", "linear explodes", "tanh vanishes", "not sufficient", "sigmoid's quarter")
EXAMPLES = dict.fromkeys(NAMES, (FINE, WRONG))
