import numpy as np
import pandas as pd

from analysis.papers.xiao2018 import DEEP, SHALLOW
from tests.analysis.papers.rows import table

DEPTHS = {"depth": [10, SHALLOW, DEEP]}


def decades(lost):
    value = {"log10_grad_first": lambda rows: 1 - lost * (rows["depth"] - SHALLOW) / (DEEP - SHALLOW)}
    return {
        "linear": table(value, noise=0, **DEPTHS),
        "tanh": table(value, initializer=["delta_orthogonal", "gaussian"], **DEPTHS),
    }


def spread(gaussian):
    """Decades whose standard deviation over seeds is that many times as large for Gaussian kernels."""
    random = np.random.default_rng(0)
    rows = table(seeds=200, initializer=["delta_orthogonal", "gaussian"], **DEPTHS)
    size = np.where(rows["initializer"] == "gaussian", gaussian, 1.0) * (rows["depth"] == DEEP)
    return {"tanh": rows.assign(log10_grad_first=size * random.standard_normal(len(rows)))}


def point(chi1):
    return {"point": pd.DataFrame({"chi1": [chi1]})}


EXAMPLES = {
    "isometry": (decades(0.0), decades(1.0)),
    "critical point": (point(1.0), point(1.1)),
    "tanh keeps gradients": (decades(0.0), decades(5.0)),
    "gaussian spread": (spread(3.0), spread(1.0)),
}
