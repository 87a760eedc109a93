"""What mean field theory expects of the first block's gradient, depth by depth, for networks with any blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.rows.select import Facet
from bench.theory import block_trajectory, gated
from bench.theory.ensembles import ensemble
from bench.theory.nonlinearities import NONLINEARITIES
from bench.theory.prediction import why_not_mean_field

FAMILIES = {
    "plain": ("plain",),
    "that add": ("residual", "residual2", "highway"),
    "that normalize": ("normed", "pre_layernorm", "post_layernorm", "batchnorm"),
    "that share weights or attend": ("conv", "rnn", "gru", "lstm", "transformer"),
}
OWN = "of your own"


def family_of(architecture: str) -> str:
    """Which family an architecture is of, by its name."""
    name = architecture.partition(":")[0]
    return next((family for family, names in FAMILIES.items() if name in names), OWN)


def expected_first(facet: Facet, scale: float, depths: Sequence[int], batch: int = 1, length: int = 1) -> np.ndarray:
    """log10 ‖∂y/∂W_1‖ at infinite width for each depth; NaN where theory says nothing."""
    law = ensemble(facet.initializer, facet.activation, facet.bias_std)
    if facet.activation not in NONLINEARITIES or law is None or law.kind == "identity" or scale == 0:
        return np.full(len(depths), np.nan)
    unfit = why_not_mean_field(facet.architecture, facet.initializer, law, facet.bias_std)
    if unfit or gated(facet.architecture):
        return np.full(len(depths), np.nan)
    of, sizes = (facet.architecture, facet.activation, scale * law.weight_std), {"batch": batch, "length": length}
    found = [
        block_trajectory(*of, depth, facet.width, **sizes, input_norm=facet.input_norm, cosines=False) for depth in depths
    ]
    return np.array([np.nan if each is None else each.log10_grad[0] for each in found])
