"""Gradients of networks of large but finite width n: mean and variance of ln ‖∂y/∂W_1‖², to leading order in 1/n at any L/n.

Given h_{l-1}, pre-activations are N(0, q_l) with q_l = σ_w² ‖h_{l-1}‖²/n + σ_b². So x_l = ln q_l is a Markov chain with steps of order
n^-1/2 about the mean-field map, and ‖δ_l‖² = Σ_i φ′(z_{l,i})² v_i² with v = W_{l+1}ᵀ δ_{l+1} a sum over its path. With η, ε, X, C of
:mod:`bench.theory.fluctuations` and x′ = x_{l+1}(x_l, η), the following functions of x = x_l are found from the readout down:

    F(x) = E ln ‖δ_l‖²        = ln E φ′² + (shift - ½ Var ε + along · U(x′)) / n + E F(x′)
    V(x) = Var ln ‖δ_l‖²      = Var(F(x′) + ε) + E V(x′) + 2 along · E Q(x′) / n
    U(x) = E T_l - 1          = E X - 1 + E C U(x′) - 3 along · U (1 + U) / n
    Q(x) = Cov(T_l, ln ‖δ_l‖²) = Cov(X + C U(x′), F(x′)) + E C (1 - 3 along (1 + 2U) / n) Q(x′)

T, near n times the squared cosine between δ_l and W_l h_{l-1}, is there because weights are not independent of z: given z, W_l acts on
h_{l-1} as it did forward, and that component of v carries T in place of 1. It is near a χ² variable of one degree of freedom,
which ‖δ‖² grows by as 1 + (T - 1)/n a layer: with T's own scale that relaxes U at the rate 3 (1 + U)/n.

Where the chain of lengths is contracted (away from criticality), what depends on L/n is of the next order in 1/n. At criticality it is
not: F's curvature over a walk of variance L/n, and the rest of U and Q, are of the leading order.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss, hermevander
from scipy.sparse import csr_array
from scipy.special import factorial

from bench.theory.ensembles import Ensemble
from bench.theory.fluctuations import Layer, layer
from bench.theory.moments import tabulated
from bench.theory.nonlinearities import Nonlinearity

NODES, NODE_WEIGHTS = hermegauss(9)
NODE_WEIGHTS = NODE_WEIGHTS / NODE_WEIGHTS.sum()
ORDERS = 4  # of Hermite polynomials in which functions of the next length are expanded
SPACING, SHORTEST, LONGEST = 0.125, -25.0, 25.0  # of the grid of x, beyond which φ follows its power laws
QUIET = 1e-12  # n times a variance: none
STATE = 5
FORWARD, TILT = 0, 2


class LogNormal(NamedTuple):
    """Of ln ‖∂y/∂W_1‖² at one depth, over networks."""

    mean: float
    variance: float
    shared: float  # covariance with the same of depth 2
    aligned: float  # E Σ (along · U / n)² / 2


@lru_cache(maxsize=256)
def depths_of(
    phi: Nonlinearity, weights: Ensemble, weight_std: float, bias_std: float, width: int, input_norm: float = 1.0
) -> Depths:
    """The law at any depth, for weights of standard deviation ``weight_std``/√n and inputs of norm √n ``input_norm``."""
    return Depths(phi, weights, weight_std, bias_std, width, input_norm)


class Depths:
    """``law(depth)`` for one kind of network: a layer more at the bottom is a step, so that all depths cost one pass."""

    def __init__(
        self, phi: Nonlinearity, weights: Ensemble, weight_std: float, bias_std: float, width: int, input_norm: float
    ):
        with np.errstate(divide="ignore"):
            log_gain, log_bias = 2 * np.log(weight_std), 2 * np.log(bias_std)
        start = float(np.logaddexp(log_gain + 2 * np.log(input_norm), log_bias))
        grid = np.arange(SHORTEST, max(LONGEST, start + 6), SPACING)
        at = tabulated(phi)(grid)
        below = np.interp(grid, np.logaddexp(log_gain + at.log_value, log_bias), at.value_kurtosis)
        # The last point is the first layer's, whose inputs lie on a sphere.
        points, incoming = np.append(grid, start), np.append(below, 3.0)
        self.layer: Layer = layer(phi, weights, weight_std, bias_std, width, points, incoming)
        self.width, self.log_gain, self.log_input = width, log_gain, np.log(width) + 2 * np.log(input_norm)
        self.operator = _operator(self.layer, grid)
        self.laws: list[LogNormal] = []
        self.state = self._readout()

    def law(self, depth: int) -> LogNormal:
        """At depth L ≥ 2."""
        if not self.laws:
            self._record(0.0)
        while len(self.laws) < depth - 1:
            self._record(self._descend())
        return self.laws[depth - 2]

    def failure(self, depth: int) -> str:
        """Why the expansion does not hold at a depth, in words; empty where it does."""
        return ""

    def _record(self, shared: float) -> None:
        mean, variance, _, _, aligned = self.state[-1].tolist()
        gain = len(self.laws) * self.log_gain
        self.laws.append(LogNormal(self.log_input + gain + mean, variance, shared, aligned))

    def _readout(self) -> np.ndarray:
        """F, V, U, Q and the alignment at the layer that the readout reads, [points, 5]."""
        at = self.layer
        zero = np.zeros_like(at.first)
        return np.stack([at.last_mean, at.last_variance, at.first, zero, zero], axis=1)

    def _descend(self) -> float:
        """One layer down; the covariance of ln ‖δ_1‖², of which it is the first layer, with that of depth 2."""
        at, n = self.layer, self.width
        parts = (self.operator @ self.state[:-1]).reshape(ORDERS, -1, STATE)
        forward, variance, tilt, covariance, aligned = parts[0].T
        follows, tilts = parts[1:, :, FORWARD], parts[1:, :, TILT]
        # n times the covariances of η with F(x′) and U(x′), by the Hermite polynomial of first order
        per_value = np.divide([follows[0], tilts[0]], np.sqrt(at.value / n), out=np.zeros((2, len(tilt))), where=at.value > QUIET)
        forward_value, tilt_value = per_value / n
        relaxed = 3 * at.along / n
        carried = tilt * (1 - relaxed * (1 + tilt)) + at.carried_value * tilt_value
        together = (tilts * follows).sum(axis=0) + at.carried_value * tilt * forward_value
        together += (1 - relaxed * (1 + 2 * tilt)) * covariance
        self.state = np.stack(
            [
                at.mean + at.along * tilt / n + forward,
                at.variance + 2 * at.along * covariance / n + 2 * at.both * forward_value + (follows**2).sum(axis=0) + variance,
                at.first + at.carried * carried,
                at.first_value * forward_value + at.carried * together,
                (tilt * at.along / n) ** 2 / 2 + aligned,
            ],
            axis=1,
        )
        return float(at.shared[-1] / n + at.both[-1] * forward_value[-1])


def _operator(at: Layer, grid: np.ndarray) -> csr_array:
    """[orders · points, grid]: E f(x′) He_k(ξ) / √k! at every point, x′ = following + spread · ξ, f by cubics on the grid."""
    place = np.clip((at.following[:, None] + at.spread[:, None] * NODES - grid[0]) / SPACING, 0, len(grid) - 1)
    left = np.clip(place.astype(int) - 1, 0, len(grid) - 4)
    t = (place - left)[..., None] - np.arange(4)
    others = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
    cubic = t[..., others].prod(axis=-1) / np.array([-6.0, 2.0, -2.0, 6.0])
    hermite = NODE_WEIGHTS[:, None] * hermevander(NODES, ORDERS - 1) / np.sqrt(factorial(np.arange(ORDERS)))
    values = np.einsum("pjc,jk->kpjc", cubic, hermite)
    points = np.arange(len(at.spread))[:, None, None]
    rows = np.broadcast_to(np.arange(ORDERS)[:, None, None, None] * len(at.spread) + points, values.shape)
    columns = np.broadcast_to(left[..., None] + np.arange(4), values.shape)
    return csr_array((values.ravel(), (rows.ravel(), columns.ravel())), shape=(ORDERS * len(at.spread), len(grid)))
