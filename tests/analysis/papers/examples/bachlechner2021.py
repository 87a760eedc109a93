import numpy as np

from analysis.papers.bachlechner2021 import DEEP, DEPTHS, NAMES, PLAIN, REZERO
from tests.analysis.papers.rows import learned, table


def layers(passed, gradient):
    """What a block does to cotangents, in decades, and the gradient of its weights."""
    values = {"log10_delta": lambda rows: passed * rows["depth"], "log10_grad": lambda rows: gradient + 0 * rows["depth"]}
    return {"depth.layers": table(values, architecture=[REZERO, PLAIN], depth=[8, 16, 128], layer=range(1, 8))}


def times(rezero, plain, shallow=20.0):
    """Learning times at the deeper of two depths over those at the other one."""

    def steps(rows):
        return shallow * np.where(rows["depth"] == DEEP, np.where(rows["architecture"] == REZERO, rezero, plain), 1.0)

    return {"train": learned(steps, architecture=list(NAMES), depth=DEPTHS)}


EXAMPLES = {
    "isometry": (layers(0.0, -np.inf), layers(0.1, -np.inf)),
    "gated": (layers(0.0, -np.inf), layers(0.0, -1.0)),
    "trains deep": (times(1.0, np.inf), times(np.inf, np.inf)),
    "depth costs little": (times(1.0, np.inf), times(10.0, np.inf)),
    "plain does not": (times(1.0, np.inf), times(1.0, 1.0), times(1.0, np.inf, shallow=np.inf)),
}
