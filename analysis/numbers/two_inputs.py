"""What theory expects two inputs to become, depth by depth: :func:`bench.theory.gradient_correlation` of many networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analysis.rows.select import Facet
from bench.theory import gradient_correlation
from bench.theory.angles import is_quick
from bench.theory.ensembles import ensemble
from bench.theory.nonlinearities import NONLINEARITIES

BY_QUADRATURE = 100  # layers to which theory is followed where each layer takes quadrature


class Expected(NamedTuple):
    """Arrays [depths], n → ∞; NaN where theory says nothing."""

    apart: np.ndarray  # 1 - cos(z_{L-1}, z'_{L-1})
    gradients: np.ndarray  # cos(δ_1, δ_1')


def missing(facet: Facet) -> str:
    """Why theory says nothing of this network, or nothing."""
    phi = NONLINEARITIES.get(facet.activation)
    if facet.architecture != "plain":
        return "theory is of plain networks"
    if phi is None:
        return "theory does not know the activation"
    law = ensemble(facet.initializer, facet.activation, facet.bias_std)
    if law is None:
        return "the scheme has no law"
    if law.kind == "identity":
        return "mean-field theory is of random weights"
    if facet.width == 1:
        return "vectors of one number have no angles but 0 and π"
    # Where lengths are a common factor, the norm of the inputs is none of an angle.
    if facet.input_norm != 1 and not (phi.negative_slope is not None and facet.bias_std == 0):
        return "theory is of inputs of norm √n"
    return ""


def deepest(facet: Facet) -> float:
    """The depth to which theory is followed."""
    phi = NONLINEARITIES.get(facet.activation)
    return np.inf if phi is not None and is_quick(phi) else BY_QUADRATURE


def expected(facet: Facet, scale: float, correlation: float, depths: Sequence[int]) -> Expected:
    """For two inputs at that correlation, of networks of these depths.

    NaN where :func:`missing` says why, and for ELU and SELU, whose kinks take quadrature, beyond depth 100.
    """
    nothing = Expected(*np.full((2, len(depths)), np.nan))
    law = ensemble(facet.initializer, facet.activation, facet.bias_std) if not missing(facet) else None
    known = np.array([depth for depth in depths if depth <= deepest(facet)])
    if law is None or not len(known):
        return nothing
    found = gradient_correlation(facet.activation, scale * law.weight_std, facet.bias_std, int(known.max()), correlation)
    # cos(δ_1, δ_1') at depth L is a product over layers 1 … L-1: that of the deepest network without its layers from L on
    above = np.append(found.backward, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        products = above[0] / above
    apart, gradients = nothing
    place = np.isin(depths, known)
    apart[place], gradients[place] = 1 - found.forward[known - 2], products[known - 1]
    return Expected(apart, gradients)


def merging(depths: np.ndarray) -> np.ndarray:
    """9π² / (2 l²), l = L - 1: how far apart ReLU without biases leaves two inputs, at any scale, for l → ∞ and n → ∞.

    From c_{l+1} - c_l ≈ (2√2 / 3π) (1 - c_l)^{3/2} of the arc-cosine kernel (Cho & Saul 2009).
    """
    return 4.5 * np.pi**2 / (np.asarray(depths, float) - 1) ** 2
