import numpy as np

from analysis.papers.tallec2018 import CHRONO, DEEPEST, ONE, SCALE, ZERO
from tests.analysis.papers.rows import table


def time(zero, one, chrono):
    """Parts of the gradient that fall by the first two factors a step back in time, and by a power of it."""

    def decades(rows):
        ago = DEEPEST - 1 - rows["layer"]
        by_factor = ago * np.log10(np.where(rows["architecture"] == ZERO, zero, one))
        return np.where(rows["architecture"] == CHRONO, chrono * np.log10(ago), by_factor)

    axes = {"architecture": [ZERO, ONE, CHRONO], "scale": [SCALE, 1.0], "layer": range(DEEPEST - 81, DEEPEST - 10)}
    return {"time.layers": table({"log10_grad": decades}, **axes)}


FINE, WRONG = time(0.5, 0.731, -1.0), time(0.9, 0.99, -5.0)
NAMES = ("bias 0 forgets", "bias 1 forgets later", "chrono is no exponential", "chrono remembers")
EXAMPLES = dict.fromkeys(NAMES, (FINE, WRONG))
