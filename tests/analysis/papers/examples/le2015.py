import numpy as np

from analysis.papers.le2015 import DEEPEST
from tests.analysis.papers.rows import table


def rates(identity, half, gaussian):
    """Gradients that change by these factors a step back in time."""
    ago = {"layer": range(1, DEEPEST, 10), "scale": [0.5, 1.0]}
    of_identity = {
        "log10_delta": lambda rows: (DEEPEST - rows["layer"]) * np.log10(np.where(rows["scale"] == 1, identity, half))
    }
    others = {"log10_delta": lambda rows: (DEEPEST - rows["layer"]) * np.log10(gaussian)}
    return {"identity.layers": table(of_identity, noise=1e-12, **ago), "gaussian.layers": table(others, **ago)}


FINE, WRONG = rates(1.0, 0.5, 0.5), rates(0.9, 0.6, 1.0)
EXAMPLES = dict.fromkeys(("identity", "small identity", "tanh vanishes"), (FINE, WRONG))
