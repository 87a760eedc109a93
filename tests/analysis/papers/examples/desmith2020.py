import numpy as np

from analysis.papers.desmith2020 import BLOCKS, COUNT, DEEP, DEPTHS, NORMALIZED, SIGNALS, TRAINED, WIDTH
from tests.analysis.papers.rows import learned, table


def signals(linear, factor):
    """Variances 1 + linear · l, and those that grow by a factor a block."""

    def decades(rows):
        grown = np.where(
            rows["architecture"] == NORMALIZED, np.log10(1 + linear * rows["layer"]), rows["layer"] * np.log10(factor)
        )
        return (grown + np.log10(WIDTH * COUNT)) / 2

    return {"signals.layers": table({"log10_activation": decades}, architecture=list(SIGNALS), layer=[1, 10, BLOCKS])}


def times(*growth, shallow=20.0):
    """Learning times at the deeper of two depths over those at the other one, in the order of TRAINED."""
    grown = dict(zip(TRAINED, growth, strict=True))

    def steps(rows):
        return shallow * np.where(rows["depth"] == DEEP, rows["architecture"].map(grown), 1.0)

    return {"train": learned(steps, architecture=list(TRAINED), depth=DEPTHS)}


EXAMPLES = {
    "normalized stream": (signals(1.0, 3.0), signals(3.0, 3.0)),
    "stream without it": (signals(1.0, 3.0), signals(1.0, 1.1)),
    "SkipInit trains": (times(1.0, 2.0, np.inf), times(np.inf, 2.0, np.inf)),
    "1/√L trains": (times(1.0, 2.0, np.inf), times(1.0, np.inf, np.inf)),
    "1 does not": (times(1.0, 2.0, np.inf), times(1.0, 2.0, 1.0), times(1.0, 2.0, np.inf, shallow=np.inf)),
}
