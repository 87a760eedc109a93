import numpy as np

from tests.analysis.papers.rows import learned, table

BOTH = {"initializer": ["gaussian", "he_gaussian"], "depth": [2, 10, 30]}


def gradients(xavier, he):
    """Norms that change by these factors a layer."""
    factors = {"gaussian": xavier, "he_gaussian": he}
    return {
        "depth": table({"log10_grad_first": lambda rows: rows["depth"] * np.log10(rows["initializer"].map(factors))}, **BOTH)
    }


def trained(xavier, he):
    """Who learns, at any depth."""
    learns = {"gaussian": xavier, "he_gaussian": he}
    steps = {name: 100.0 if each else np.inf for name, each in learns.items()}
    return {"train": learned(lambda rows: rows["initializer"].map(steps), initializer=BOTH["initializer"], depth=[22, 30])}


FINE, WRONG = gradients(0.5**0.5, 1.0), gradients(0.5, 1.1)
EXAMPLES = {
    "xavier's factor": (FINE, WRONG),
    "he's factor": (FINE, WRONG),
    "he trains 30": (trained(False, True), trained(False, False)),
    "xavier stalls at 30": (trained(False, True), trained(True, True), trained(False, False)),
    "xavier trains 22": (trained(True, True), trained(False, True)),
}
