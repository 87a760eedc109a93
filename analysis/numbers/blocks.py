"""What mean field theory expects of the first block's gradient, depth by depth, for networks with any blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.rows.select import Facet
from bench.theory import block_trajectory, predict
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


def expected_first(facet: Facet, scale: float, depths: Sequence[int], batch: int = 1, length: int = 1) -> np.ndarray:
    """log10 ‖∂y/∂W_1‖ at infinite width for each depth; NaN where theory says nothing."""
    law = ensemble(facet.initializer, facet.activation, facet.bias_std)
    cell = {name: getattr(facet, name) for name in ("initializer", "activation", "width", "bias_std", "input_norm")}
    if facet.activation not in NONLINEARITIES or law is None or law.kind == "identity" or scale == 0:
        return np.full(len(depths), np.nan)
    if facet.architecture != "plain":
        sizes = {"scale": scale, "architecture": facet.architecture, "batch": batch, "length": length}
        return np.array([predict(**cell, **sizes, depth=depth).log10_grad_first.mean for depth in depths])
    if facet.bias_std > 0:
        return np.full(len(depths), np.nan)
    std = scale * law.weight_std
    found = [
        block_trajectory("plain", facet.activation, std, depth, facet.width, input_norm=facet.input_norm, cosines=False)
        for depth in depths
    ]
    return np.array([np.nan if each is None else each.log10_grad[0] for each in found])
