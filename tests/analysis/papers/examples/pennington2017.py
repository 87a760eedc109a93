import numpy as np

from analysis.papers.pennington2017 import DEPTHS, KINDS
from tests.analysis.papers.rows import table


def spectra(spread):
    """Squared singular values of that variance over their squared mean: of 420 all are 1, or 20 are 21 and the rest 0."""
    value = {
        "value": lambda rows: np.sqrt(np.where(rows["mode"] % 21 == 0, 21.0, 0.0)) if spread else 1.0 + 0 * rows["mode"]
    }
    return {"spectra": table(value, seeds=3, kind=list(KINDS), layers=[DEPTHS[-1]], mode=range(420))}


BROAD, NONE = spectra(20.0), spectra(0.0)
EXAMPLES = {"gaussian": (BROAD, NONE), "relu": (BROAD, NONE), "tanh": (NONE, BROAD)}
