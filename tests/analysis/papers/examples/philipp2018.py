import numpy as np

from analysis.papers.philipp2018 import HIDDEN, KINDS, RUNS
from tests.analysis.papers.rows import table


def rows(times):
    """Coefficients that are the paper's to a power."""
    found = {}
    for architecture, run in RUNS.items():
        published = {activation: value for (name, activation), (_, value) in KINDS.items() if name == architecture}

        def decades(frame, published=published):
            return times * np.log10(frame["activation"].map(published)) * (HIDDEN - frame["layer"]) / (HIDDEN - 1)

        values = {"log10_delta": decades, "log10_activation": lambda frame: 1.0 + 0 * frame["layer"]}
        found[f"{run}.layers"] = table(values, noise=1e-5, activation=list(published), layer=[1, 25, HIDDEN])
    return found


EXAMPLES = {name: (rows(1.0), rows(2.0)) for name in ("batch-ReLU", "batch-tanh", "layer-tanh")}
EXAMPLES |= {"skips reduce it": (rows(1.0), rows(0.1))}
