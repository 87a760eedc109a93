import numpy as np

from analysis.papers.marion2025 import BETAS, INDEPENDENT, SMOOTH
from tests.analysis.papers.rows import table

AXES = {"weights": [INDEPENDENT, SMOOTH], "beta": list(BETAS), "depth": [10, 100, 1000]}


def moved(power):
    """Distances, or logarithms of larger ones, that are a power of the depth."""
    values = {name: lambda rows: 1 + power * np.log10(rows["depth"]) for name in ("log10_moved", "loglog")}
    return {"moved": table(values, **AXES)}


EXAMPLES = {
    "1/√L": (moved(0.0), moved(0.5)),
    "1/L is trivial": (moved(-0.5), moved(0.0)),
    "larger explode": (moved(0.5), moved(1.0)),
    "smooth weights": (moved(0.0), moved(-0.5)),
}
