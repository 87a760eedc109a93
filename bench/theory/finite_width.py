"""Gradients of networks of large but finite width n: mean and variance of ln ‖∂y/∂W_1‖², to leading order in 1/n at any L/n.

Given h_{l-1}, pre-activations are N(0, q_l) with q_l = σ_w² ‖h_{l-1}‖²/n + σ_b². So x_l = ln q_l is a Markov chain with
steps of order n^-1/2 about the mean-field map, and ‖δ_l‖² = Σ_i φ′(z_{l,i})² v_i² with v = W_{l+1}ᵀ δ_{l+1} a sum over
its path. With η, ε, X, C of :mod:`bench.theory.fluctuations` and x′ = x_{l+1}(x_l, η), functions of x = x_l are found
from the readout down:

    F(x) = E ln ‖δ_l‖²         = E ln (Σ φ′² v² / v²) + along · U(x′) / n + E F(x′)
    V(x) = Var ln ‖δ_l‖²       = Var(F(x′) + ε) + E V(x′) + 2 along · E Q(x′) / n
    U(x) = E T_l - 1           = E X - 1 + E C (U(x′) - 3 along · U (1 + U) / n)
    Q(x) = Cov(T_l, ln ‖δ_l‖²) = Cov(X + C U(x′), F(x′)) + E C (1 - 3 along (1 + 2U) / n) Q(x′)

T, near n times the squared cosine between δ_l and W_l h_{l-1}, is there because weights are not independent of z: given
z, W_l acts on h_{l-1} as it did forward, and that component of v carries T in place of 1. It is near a χ² variable of
one degree of freedom, which makes ‖δ‖² grow by 1 + along · (T - 1)/n a layer: with T's own scale, that relaxes U at the
rate 3 along (1 + U)/n.

Where lengths are contracted (away from criticality), what depends on L/n beyond sums over layers is of the next order
in 1/n. At criticality it is not: F's curvature over a walk of variance L/n, U's relaxation and Q are of the leading
order there.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss, hermevander

from bench.theory.ensembles import Ensemble
from bench.theory.fluctuations import QUIET, Layer, layer
from bench.theory.moments import tabulated
from bench.theory.nonlinearities import Nonlinearity
from bench.theory.slope_sums import LARGEST, saturates

NODES, NODE_WEIGHTS = hermegauss(9)
NODE_WEIGHTS = NODE_WEIGHTS / NODE_WEIGHTS.sum()
ORDERS, FACTORIALS = 4, (1.0, 1.0, 2.0, 6.0)  # of Hermite polynomials in which functions of the next length are expanded
SPACING, SHORTEST, LONGEST = 0.125, -25.0, 25.0  # of the grid of x, beyond which φ follows its power laws
FORWARD, TILT, STATE = 0, 2, 6
MOST_ALIGNED = 0.5  # standard deviations of ln ‖δ_1‖²
NEAR = 5.0  # standard deviations of ln q to an unstable fixed point
RARE = 1e-3  # a probability that a mean need not know of
FURTHEST = 10_000  # depth to which layers are added one by one, about a millisecond each
FOLLOWED = 2000  # layers in which a walk's ends are looked for
FINE, ROUNDING = 0.02, 1e-9  # of ln q, where unstable fixed points are looked for


class LogNormal(NamedTuple):
    """Of ln ‖∂y/∂W_1‖² at one depth, over networks."""

    mean: float
    variance: float
    shared: float  # covariance with the same of depth 2
    aligned: float  # what U > 0 has added to the mean
    log_alive: float  # ln of the probability that in every layer some neuron has a slope


@lru_cache(maxsize=256)
def networks_of(
    phi: Nonlinearity, weights: Ensemble, weight_std: float, bias_std: float, width: int, input_norm: float = 1.0
) -> Networks:
    """The same :class:`Networks` for the same arguments: depths that were asked for before cost nothing."""
    return Networks(phi, weights, weight_std, bias_std, width, input_norm)


class Networks:
    """One kind of network, whose weights have standard deviation ``weight_std``/√n, for inputs of norm √n ``input_norm``.

    A layer more is one step at the bottom, so that ``law`` at all depths costs one pass.
    """

    def __init__(
        self, phi: Nonlinearity, weights: Ensemble, weight_std: float, bias_std: float, width: int, input_norm: float = 1.0
    ):
        with np.errstate(divide="ignore"):
            self.log_gain, self.log_bias = 2 * float(np.log(weight_std)), 2 * np.log(bias_std)
        start = float(np.logaddexp(self.log_gain + 2 * np.log(input_norm), self.log_bias))
        self.grid = np.arange(SHORTEST, max(LONGEST, start + 6), SPACING)
        known = tabulated(phi)(self.grid)
        below = np.interp(self.grid, np.logaddexp(self.log_gain + known.log_value, self.log_bias), known.value_kurtosis)
        # The last point is the first layer's, whose inputs lie on a sphere.
        self.points, incoming = np.append(self.grid, start), np.append(below, 3.0)
        self.layer = layer(phi, weights, weight_std, bias_std, width, self.points, incoming)
        self.phi, self.width, self.log_input = phi, width, float(np.log(width) + 2 * np.log(input_norm))
        self.operator = _operator(self.layer, self.grid)
        zero, at = np.zeros_like(self.points), self.layer
        # F, V, U, Q, the alignment and ln P(alive), [points, 6], at the layer that the readout reads
        self.state = np.stack([at.last_mean, at.last_variance, at.first, zero, zero, at.log_alive], axis=1)
        self.laws: list[LogNormal] = []
        self.lock = Lock()

    def law(self, depth: int) -> LogNormal:
        """At depth L ≥ 2."""
        with self.lock:
            while len(self.laws) < depth - 1:
                shared = self._descend() if self.laws else 0.0
                mean, variance, _, _, aligned, log_alive = self.state[-1].tolist()
                self.laws.append(
                    LogNormal(self.log_input + len(self.laws) * self.log_gain + mean, variance, shared, aligned, log_alive)
                )
        return self.laws[depth - 2]

    def failure(self, depth: int) -> str:
        """Why the expansion does not hold at a depth, in words; empty where it does.

        Where U > 0 adds up over layers to more than half a standard deviation of ln ‖δ_1‖², gradients have come to lie along
        activations (softplus, whose activations share a sign; GELU and SiLU at their critical points), and T's law is too
        coarse. Where the walk of ln q comes within five standard deviations of an unstable fixed point, networks of one
        kind end at different lengths (GELU, SiLU between their two fates). Where all neurons of a layer may lie on an
        activation's flat side (GELU, ELU in narrow networks), rare networks make the mean. And saturation is
        followed to pre-activations of 3000 (:mod:`bench.theory.slope_sums`).
        """
        if depth > self._too_long:
            size = f"pre-activations are beyond {np.exp(LARGEST / 2):.0f} in layer {self._too_long:g}"
            return f"saturated: {size}, and slopes are not followed so far out"
        if not np.isfinite(self.law(depth)).all():
            return "averages of the activation are not finite"
        flat = -np.expm1(self.law(depth).log_alive)
        if self.phi.tail is not None and flat > RARE:
            return f"in {flat:.2g} of networks a layer lies on the activation's flat side, and gradients are far smaller"
        for place, law in enumerate(self.laws[: depth - 1]):
            if law.aligned > MOST_ALIGNED * np.sqrt(law.variance):
                deep = f"depth/width {(place + 2) / self.width:.2g}"
                return f"gradients lie along activations: the expansion fails from depth {place + 2} ({deep}) on"
        if depth > self._parting:
            return f"lengths come near an unstable fixed point from depth {self._parting + 1} on, and networks part"
        return ""

    @cached_property
    def _too_long(self) -> float:
        """The first layer whose length is beyond what saturated networks are followed to."""
        if not saturates(self.phi):
            return np.inf
        length = float(self.points[-1])
        for layer_number in range(1, FOLLOWED + 1):
            if length > LARGEST:
                return layer_number
            length = float(np.interp(length, self.grid, self.layer.following[:-1]))
        return np.inf

    @cached_property
    def _parting(self) -> float:
        """The largest depth at which the walk of ln q has not come near an unstable fixed point, of those followed."""
        fine = np.arange(SHORTEST, LONGEST, FINE)
        drift = np.logaddexp(self.log_gain + tabulated(self.phi)(fine).log_value, self.log_bias) - fine
        unstable = fine[:-1][(drift[:-1] < -ROUNDING) & (drift[1:] > ROUNDING)] + FINE / 2
        if not unstable.size:
            return np.inf
        move = self.operator[: len(self.points)].T.tocsr()  # of a density over the points to that of the next layer
        density = np.append(np.zeros_like(self.grid), 1.0)
        for depth in range(2, FOLLOWED + 1):
            mean = density @ self.points
            std = np.sqrt(max(density @ (self.points - mean) ** 2, 0.0))
            if (np.abs(unstable - mean) <= NEAR * std).any():
                return depth - 1
            density = np.append(move @ density, 0.0)
        return np.inf

    def _descend(self) -> float:
        """One layer down; the covariance of ln ‖δ_1‖², of which it is the first layer, with that of depth 2."""
        at, n = self.layer, self.width
        parts = (self.operator @ self.state[:-1]).reshape(ORDERS, -1, STATE)
        forward, variance, tilt, covariance, aligned, log_alive = parts[0].T
        follows, tilts = parts[1:, :, FORWARD], parts[1:, :, TILT]
        # Covariances of η with F(x′) and U(x′) over Var η, by the first Hermite polynomial
        first_order = np.stack([follows[0], tilts[0]]) / np.sqrt(n)
        forward_value, tilt_value = first_order / np.sqrt(np.where(at.value > QUIET, at.value, np.inf))
        relaxed = 3 * at.along / n
        carried = tilt * (1 - relaxed * (1 + tilt)) + at.carried_value * tilt_value
        together = (tilts * follows).sum(axis=0) + at.carried_value * tilt * forward_value
        together += (1 - relaxed * (1 + 2 * tilt)) * covariance
        variance = variance + at.variance + (follows**2).sum(axis=0) + 2 * at.both * forward_value
        self.state = np.stack(
            [
                at.mean + at.along * tilt / n + forward,
                variance + 2 * at.along * covariance / n,
                at.first + at.carried * carried,
                at.first_value * forward_value + at.carried * together,
                np.maximum(tilt, 0.0) * at.along / n + aligned,
                at.log_alive + log_alive,
            ],
            axis=1,
        )
        return float(at.shared[-1] / n + at.both[-1] * forward_value[-1])


def _operator(at: Layer, grid: np.ndarray) -> Any:
    """[orders · points, grid]: E f(x′) He_k(ξ) / √k! at every point, x′ = following + spread · ξ, f by cubics."""
    from scipy.sparse import csr_array  # here: no import of theory should wait for it

    place = np.clip((at.following[:, None] + at.spread[:, None] * NODES - grid[0]) / SPACING, 0, len(grid) - 1)
    left = np.clip(place.astype(int) - 1, 0, len(grid) - 4)
    t = (place - left)[..., None] - np.arange(4)
    others = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
    cubic = t[..., others].prod(axis=-1) / np.array([-6.0, 2.0, -2.0, 6.0])
    hermite = NODE_WEIGHTS[:, None] * hermevander(NODES, ORDERS - 1) / np.sqrt(FACTORIALS)
    values = np.einsum("pjc,jk->kpjc", cubic, hermite)
    points, count = np.arange(len(at.following))[:, None, None], len(at.following)
    rows = np.broadcast_to(np.arange(ORDERS)[:, None, None, None] * count + points, values.shape)
    columns = np.broadcast_to(left[..., None] + np.arange(4), values.shape)
    return csr_array((values.ravel(), (rows.ravel(), columns.ravel())), shape=(ORDERS * count, len(grid)))
