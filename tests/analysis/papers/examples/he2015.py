import numpy as np

from tests.analysis.papers.rows import learned, table

BOTH = {"initializer": ["gaussian", "he_gaussian"], "depth": [2, 10, 30]}


def gradients(xavier, he):
    """Norms that change by these factors a layer."""
    factors = {"gaussian": xavier, "he_gaussian": he}
    return {
        "depth": table({"log10_grad_first": lambda rows: rows["depth"] * np.log10(rows["initializer"].map(factors))}, **BOTH)
    }


def trained(share):
    """That share of all seeds learns, at any depth."""
    return {
        "train": learned(
            lambda rows: np.where(rows["seed"] < 12 * share, 100.0, np.inf), initializer=BOTH["initializer"], depth=[22, 30]
        )
    }


FINE, WRONG = gradients(0.5**0.5, 1.0), gradients(0.5, 1.1)
EXAMPLES = {
    "xavier's factor": (FINE, WRONG),
    "he's factor": (FINE, WRONG),
    "he trains 30": (trained(1), trained(0)),
    "xavier stalls at 30": (trained(0), trained(1)),
    "xavier trains 22": (trained(1), trained(0)),
}
