"""What theory expects of a cell: the law across seeds of its log10 gradient norm, and of that norm's slope over depth."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from bench.theory.ensembles import Ensemble, ensemble
from bench.theory.finite_width import leading_order
from bench.theory.laws import LN_10, gradient_law, slope_law
from bench.theory.nonlinearities import Nonlinearity, nonlinearity


class Spread(NamedTuple):
    """Mean and standard deviation across seeds, in decades; NaN where theory says nothing."""

    mean: float
    std: float

    def interval(self, seeds: int, confidence: float = 0.95) -> tuple[float, float]:
        """Where the mean of so many seeds is expected."""
        half = float(ndtri((1 + confidence) / 2)) * self.std / np.sqrt(seeds)
        return self.mean - half, self.mean + half


class Prediction(NamedTuple):
    """Laws of one cell under ``loss="output"``.

    log10_grad_first: of log10 ‖∂y/∂W_1‖_F. log10_grad_slope: of its change from depth 2 to the cell's depth, per layer.
    law: "exact" at any width and depth, "leading order" in 1/width (and in depth/width), or "none".
    alive: the probability that the gradient is not exactly zero; both laws are given that.
    """

    log10_grad_first: Spread
    log10_grad_slope: Spread
    law: str
    alive: float = 1.0


NONE = Prediction(Spread(float("nan"), float("nan")), Spread(float("nan"), float("nan")), "none", float("nan"))


@lru_cache(maxsize=65536)
def predict(
    *, initializer: str, activation: str, width: int, depth: int, scale: float, bias_std: float = 0.0, loss: str = "output"
) -> Prediction:
    """What theory expects of a cell, whose columns are the arguments. Never raises for a cell that can be measured.

    Exact: linear (any σ_b), ReLU and leaky ReLU (σ_b = 0) with Gaussian or orthogonal weights (:mod:`bench.theory.laws`),
    and identity weights with linear activations. To leading order in 1/width: every other activation and every initializer
    with independent entries (:mod:`bench.theory.finite_width`). No theory: identity weights with other activations,
    data-dependent and sparse schemes, schemes of the user's own, ``loss="mse"``, and where the expansion in 1/width fails
    (:func:`bench.theory.finite_width.leading_order`).
    """
    weights = ensemble(initializer, activation, bias_std) if loss == "output" else None
    if weights is None or scale == 0:
        return NONE
    phi, weight_std = nonlinearity(activation), scale * weights.weight_std
    if weights.kind == "identity":
        return _identity(width, depth, weight_std) if phi.is_linear else NONE
    invariant = phi.is_linear or (phi.negative_slope is not None and bias_std == 0)
    exact = weights.is_gaussian or weights.kind == "orthogonal"
    if invariant:
        return _invariant(phi, weights, weight_std, width, depth, "exact" if exact else "leading order")
    return _leading_order(phi, weights, weight_std, bias_std, width, depth)


def _identity(width: int, depth: int, weight_std: float) -> Prediction:
    slope = float(np.log10(weight_std))
    grad = (depth - 2) * slope + float(np.log10(width)) / 2
    return Prediction(Spread(grad, 0.0), Spread(slope if depth > 2 else float("nan"), 0.0), "exact")


def _invariant(phi: Nonlinearity, weights: Ensemble, weight_std: float, width: int, depth: int, law: str) -> Prediction:
    assert phi.negative_slope is not None
    orthogonal = weights.kind == "orthogonal"
    grad = gradient_law(width, depth, weight_std, negative_slope=phi.negative_slope, orthogonal=orthogonal)
    slope = Spread(float("nan"), float("nan"))
    if depth > 2:
        found = slope_law(width, depth, weight_std, negative_slope=phi.negative_slope, orthogonal=orthogonal)
        slope = Spread(found.mean, float(np.sqrt(max(found.variance, 0.0))))
    return Prediction(Spread(grad.mean, float(np.sqrt(grad.variance))), slope, law, grad.alive)


def _leading_order(
    phi: Nonlinearity, weights: Ensemble, weight_std: float, bias_std: float, width: int, depth: int
) -> Prediction:
    if width == 1:
        return NONE
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        law = leading_order(phi, weights, weight_std, bias_std, width, (2, depth) if depth > 2 else (2,))
    if not (law.holds.all() and np.isfinite(law.mean).all() and np.isfinite(law.covariance).all()):
        return NONE
    decades = 2 * LN_10  # of ln ‖·‖² in a decade of ‖·‖
    grad = Spread(float(law.mean[-1]) / decades, float(np.sqrt(max(law.covariance[-1, -1], 0.0))) / decades)
    if depth == 2:
        return Prediction(grad, Spread(float("nan"), float("nan")), "leading order")
    layers = (depth - 2) * decades
    variance = float(law.covariance[0, 0] + law.covariance[1, 1] - 2 * law.covariance[0, 1])
    slope = Spread(float(law.mean[1] - law.mean[0]) / layers, float(np.sqrt(max(variance, 0.0))) / layers)
    return Prediction(grad, slope, "leading order")
