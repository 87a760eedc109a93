import numpy as np

from analysis.papers.noci2022 import DEPTHS, LAYERS, NAMES, NORMS, ONE
from tests.analysis.papers.rows import table


def uniform(factor, queries):
    """Positions that become alike by a factor a layer; queries' gradients that change by so many decades a layer."""
    values = {"cosine": lambda rows: 1 - 0.5 * float(factor) ** rows["layer"], "apart": lambda rows: queries * rows["layer"]}
    return {"uniform": table(values, noise=1e-7, norm=list(NORMS), layer=range(1, LAYERS + 1))}


def cosines(one, root):
    values = {"cosine": lambda rows: np.where(rows["architecture"] == ONE, one, root)}
    return {"depth": table(values, architecture=list(NAMES), depth=DEPTHS)}


EXAMPLES = {
    "collapse with skips": (uniform(0.5, -0.3), uniform(0.9, -0.3)),
    "queries vanish": (uniform(0.5, -0.3), uniform(0.5, 0.0)),
    "transformers collapse": (cosines(0.99, 0.5), cosines(0.5, 0.99)),
    "1/√L keeps rank": (cosines(0.99, 0.5), cosines(0.5, 0.99)),
}
