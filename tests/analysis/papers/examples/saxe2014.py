import numpy as np

from analysis.papers.saxe2014 import NAMES
from tests.analysis.papers.rows import learned, table


def times(power):
    """Learning times that grow as that power of depth."""
    return {"train": learned(lambda rows: rows["depth"] ** power, initializer=list(NAMES), depth=[2, 5, 100], scale=[1.0])}


def spectra(decades):
    """Singular values over so many decades below 1."""
    value = {"value": lambda rows: 10 ** (-decades * rows["mode"] / 32)}
    return {"spectra": table(value, initializer=list(NAMES), layers=[50], mode=range(32))}


def activity(power):
    value = {"log10_activation": lambda rows: 1 + power * np.log10(rows["layer"])}
    return {"activity.layers": table(value, scale=[0.95, 1.05], depth=[400], layer=[10, 399])}


EXAMPLES = {
    "orthogonal depth": (times(0.0), times(1.0)),
    "gaussian depth": (times(1.0), times(0.0)),
    "gaussian spectrum": (spectra(30), spectra(0)),
    "orthogonal spectrum": (spectra(0), spectra(30)),
    "below g = 1": (activity(-2), activity(0)),
    "above g = 1": (activity(0), activity(-2)),
}
