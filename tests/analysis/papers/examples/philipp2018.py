import numpy as np

from analysis.papers.philipp2018 import HIDDEN, KINDS, SKIP
from tests.analysis.papers.rows import table


def rows(times):
    """Coefficients that are the paper's to a power."""
    found = {}
    for name, skip in (("plain.layers", False), ("skip.layers", True)):
        kinds = {kind: published for kind, (_, published) in KINDS.items() if (kind[0] == SKIP) == skip}

        def decades(frame, kinds=kinds):
            published = [kinds.get(kind, 1.0) for kind in zip(frame["architecture"], frame["activation"], strict=True)]
            return times * np.log10(published) * (HIDDEN - frame["layer"]) / (HIDDEN - 1)

        values = {"log10_delta": decades, "log10_activation": lambda frame: 1.0 + 0 * frame["layer"]}
        architectures, activations = (sorted({kind[place] for kind in kinds}) for place in (0, 1))
        found[name] = table(values, noise=1e-5, architecture=architectures, activation=activations, layer=[1, 25, HIDDEN])
    return found


EXAMPLES = {name: (rows(1.0), rows(2.0)) for name in ("batch-ReLU", "batch-tanh", "layer-tanh")}
EXAMPLES |= {"layer-ReLU": (rows(1.0), rows(8.0)), "skips reduce it": (rows(1.0), rows(0.1))}
