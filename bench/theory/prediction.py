"""What theory expects of a cell: the law across seeds of its log10 gradient norm, and of that norm's slope over depth."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from bench.theory.arguments import checked, did_you_mean
from bench.theory.ensembles import Ensemble, ensemble, known_schemes
from bench.theory.finite_width import FURTHEST, networks_of
from bench.theory.laws import LN_10, Law, gradient_law, relative_law, slope_law
from bench.theory.nonlinearities import Nonlinearity, nonlinearity
from bench.theory.slope_sums import has_slopes

CRITICAL = ("critical", "critical_orthogonal")


class Spread(NamedTuple):
    """Mean and standard deviation across seeds, in decades; NaN where theory says nothing."""

    mean: float
    std: float

    @checked
    def interval(self, seeds: int, confidence: float = 0.95) -> tuple[float, float]:
        """Where the mean of so many seeds is expected."""
        half = float(ndtri((1 + confidence) / 2)) * self.std / np.sqrt(seeds)
        return self.mean - half, self.mean + half


UNKNOWN = Spread(float("nan"), float("nan"))


class Prediction(NamedTuple):
    """Laws of one cell under ``loss="output"``.

    log10_grad_first: of log10 ‖∂y/∂W_1‖_F. log10_grad_slope: of its change from depth 2 to the cell's depth, per layer.
    law: "exact" at any width and depth, "leading order" in 1/width, or "none".
    alive: the probability that the gradient is not exactly zero, as exact as the law is; all laws are given that.
    log10_relative_first: of log10 ‖∂y/∂W_l‖ ‖W_l‖ / |y|, the same at every hidden layer l and every depth and scale;
    known without bias for linear, ReLU and leaky ReLU, else NaN.
    reason: why there is no law, in words; empty where there is one.
    """

    log10_grad_first: Spread
    log10_grad_slope: Spread
    law: str
    alive: float = 1.0
    log10_relative_first: Spread = UNKNOWN
    reason: str = ""


def no_law(reason: str) -> Prediction:
    """That theory says nothing of a cell, and why."""
    return Prediction(UNKNOWN, UNKNOWN, "none", float("nan"), reason=reason)


NONE = no_law("a function of the user's own, which would have to be imported")


@checked
@lru_cache(maxsize=65536)
def predict(
    *,
    initializer: str,
    activation: str,
    width: int,
    depth: int,
    scale: float,
    bias_std: float = 0.0,
    input_norm: float = 1.0,
    architecture: str = "plain",
    loss: str = "output",
) -> Prediction:
    """What theory expects of a cell, whose columns are the arguments. Never raises for a cell that can be measured.

    Exact: linear (any σ_b), ReLU and leaky ReLU (σ_b = 0) with Gaussian or orthogonal weights (:mod:`bench.theory.laws`),
    and identity weights with linear activations. To leading order in 1/width: every other activation and every initializer
    with independent entries (:mod:`bench.theory.finite_width`). No law: identity weights with other activations,
    data-dependent and sparse schemes, schemes of the user's own, ``loss="mse"``, and where the expansion in 1/width fails
    (:meth:`bench.theory.finite_width.Networks.failure`); ``reason`` says which. Raises ValueError for a cell that cannot
    be, and for an activation that is not known.
    """
    if loss != "output":
        return no_law(f"loss {loss}: theory is of the loss output")
    if architecture != "plain":
        return no_law(f"architecture {architecture}: a law across seeds is known for plain networks")
    weights = ensemble(initializer, activation, bias_std)
    if weights is None:
        words = f"{activation} has no critical point at bias_std {bias_std:g}"
        if initializer in CRITICAL:
            return no_law(words)
        hint = did_you_mean(initializer, known_schemes())
        return no_law(f"initializer {initializer}: no law of its weights is known{hint}")
    if scale == 0:
        return no_law("scale 0: the weights are zero")
    phi, weight_std = nonlinearity(activation), scale * weights.weight_std
    invariant = phi.is_linear or (phi.negative_slope is not None and bias_std == 0)
    if invariant:
        return _invariant(phi, weights, weight_std, bias_std, width, depth, input_norm)
    if weights.kind == "identity":
        return no_law("identity weights: a law is known for linear activations only")
    return _leading_order(phi, weights, weight_std, bias_std, width, depth, input_norm)


def _invariant(
    phi: Nonlinearity, weights: Ensemble, weight_std: float, bias_std: float, width: int, depth: int, input_norm: float
) -> Prediction:
    """Of activations that keep a factor of their argument."""
    isometric = weights.kind != "iid"
    if weights.kind == "identity" and not phi.is_linear:
        return no_law("identity weights: a law is known for linear activations only")
    assert phi.negative_slope is not None
    grad = gradient_law(width, depth, weight_std, negative_slope=phi.negative_slope, orthogonal=isometric)
    slope = UNKNOWN
    if depth > 2:
        slope = _spread(slope_law(width, depth, weight_std, negative_slope=phi.negative_slope, orthogonal=isometric))
    relative = _spread(relative_law(width, orthogonal=isometric)) if bias_std == 0 else UNKNOWN
    law = "exact" if isometric or weights.is_gaussian else "leading order"
    return Prediction(_spread(grad, float(np.log10(input_norm))), slope, law, grad.alive, relative)


def _spread(law: Law, shift: float = 0.0) -> Spread:
    return Spread(law.mean + shift, float(np.sqrt(max(law.variance, 0.0))))


def _leading_order(
    phi: Nonlinearity, weights: Ensemble, weight_std: float, bias_std: float, width: int, depth: int, input_norm: float
) -> Prediction:
    if width == 1:
        return no_law("width 1: the expansion is in 1/width")
    if depth > FURTHEST:
        return no_law(f"depth {depth}: without a closed form layers are followed to depth {FURTHEST}")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if not has_slopes(phi):
            return no_law(f"{phi.name} is flat: gradients are exactly 0")
        networks = networks_of(phi, weights, weight_std, bias_std, width, input_norm)
        short, long, failure = networks.law(2), networks.law(depth), networks.failure(depth)
    if failure:
        return no_law(failure)
    decades = 2 * LN_10  # of ln ‖·‖² in a decade of ‖·‖
    alive = float(np.exp(long.log_alive)) if phi.tail is None else 1.0  # slopes with a tail are nowhere exactly 0
    grad = Spread(long.mean / decades, float(np.sqrt(max(long.variance, 0.0))) / decades)
    if depth == 2:
        return Prediction(grad, UNKNOWN, "leading order", alive)
    layers = (depth - 2) * decades
    variance = short.variance + long.variance - 2 * long.shared
    slope = Spread((long.mean - short.mean) / layers, float(np.sqrt(max(variance, 0.0))) / layers)
    return Prediction(grad, slope, "leading order", alive)
