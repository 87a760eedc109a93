"""The depths that theory says can be trained: multiples of mean-field theory's depth scales, against the weight scale."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from analysis.rows.select import Facet
from bench.theory import FixedPoint, fixed_point
from bench.theory.ensembles import ensemble
from bench.theory.nonlinearities import NONLINEARITIES


def depth_scales(facet: Facet, scales: Sequence[float]) -> np.ndarray | None:
    """[2, scales]: ξ_c and 1/|ln χ₁| in layers at each weight scale > 0; None without a theory.

    ξ_c: over how many layers two inputs' correlation comes a factor e nearer to its fixed point; 1/|ln χ₁|: over how many
    the mean squared gradient changes by a factor e (Schoenholz et al. 2017, arXiv 1611.01232). Both are inf where the fixed
    point is critical. Without bias lengths vanish in the ordered phase and nothing is left to correlate: there ξ_c is its
    limit for a vanishing bias, which is 1/|ln χ₁|. No theory: other architectures than ``plain``, schemes without a law of
    independent or orthogonal weights, and a user's function.
    """
    if facet.architecture != "plain" or facet.activation not in NONLINEARITIES:
        return None
    law = ensemble(facet.initializer, facet.activation, facet.bias_std)
    if law is None or law.kind == "identity":
        return None
    points = [_fixed_point(facet.activation, scale * law.weight_std, facet.bias_std) for scale in scales]
    return np.array([[point.xi_c for point in points], [point.xi_grad for point in points]])


@cache
def _fixed_point(activation: str, weight_std: float, bias_std: float) -> FixedPoint:
    return fixed_point(activation, weight_std=weight_std, bias_std=bias_std)
