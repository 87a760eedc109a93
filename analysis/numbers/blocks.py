"""What mean field theory expects of the first block's gradient, depth by depth, for networks with any blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.rows.select import Facet
from bench.theory import block_trajectory
from bench.theory.ensembles import ensemble
from bench.theory.nonlinearities import NONLINEARITIES

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


def expected_first(facet: Facet, scale: float, depths: Sequence[int]) -> np.ndarray:
    """log10 ‖∂y/∂W_1‖ at infinite width for each depth; NaN where theory says nothing."""
    nothing = np.full(len(depths), np.nan)
    law = ensemble(facet.initializer, facet.activation, facet.bias_std)
    known = facet.activation in NONLINEARITIES and facet.bias_std == 0 and facet.input_norm == 1
    if law is None or law.kind == "identity" or not known or scale == 0:
        return nothing
    found = [block_trajectory(facet.architecture, facet.activation, scale * law.weight_std, d, facet.width) for d in depths]
    return np.array([np.nan if each is None else each.log10_grad[0] for each in found])
