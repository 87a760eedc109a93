import numpy as np

from analysis.papers.dong2021 import KINDS, LAYERS, MLP, SKIP
from tests.analysis.papers.rows import table


def rank(power, skip=0.4, mlp=None):
    """Distances each of which is that power of the one before; with skips they stay, with MLPs they halve if need be."""

    def decades(rows):
        collapsed = np.maximum(-0.31 * float(power) ** rows["layer"], -300.0)
        if mlp:
            collapsed = np.where(rows["kind"] == MLP, np.log10(mlp) * rows["layer"], collapsed)
        return np.where(rows["kind"] == SKIP, np.log10(skip), collapsed)

    return {"rank": table({"log10_distance": decades}, kind=list(KINDS), layer=range(LAYERS + 1))}


EXAMPLES = {
    "doubly exponential": (rank(3), rank(1.5)),
    "soon": (rank(3), rank(1.02)),
    "skips prevent it": (rank(3), rank(3, skip=1e-3)),
    "MLPs slow it": (rank(3, mlp=0.2), rank(3)),
}
