"""What theory expects of a cell: the law across seeds of its log10 gradient norm, and of that norm's slope over depth."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from bench.theory.arguments import checked, did_you_mean
from bench.theory.block_laws import DELTA, as_plain, ends_of
from bench.theory.blocks import LAWS as BLOCK_LAWS
from bench.theory.blocks import block_trajectory, gated, parsed
from bench.theory.ends import Ends
from bench.theory.ensembles import Ensemble, ensemble, known_schemes
from bench.theory.finite_width import FURTHEST, networks_of
from bench.theory.laws import LN_10, Law, gradient_law, relative_law, slope_law
from bench.theory.nonlinearities import Nonlinearity, nonlinearity
from bench.theory.slope_sums import has_slopes
from bench.theory.steps import Moments

CRITICAL = ("critical", "critical_orthogonal")
LONG = ("transformer",)  # have matrices with more rows than columns


class Spread(NamedTuple):
    """Mean and standard deviation across seeds, in decades; NaN where theory says nothing.

    Under a law of mean field, ``mean`` is log10 of the root mean square over networks, and there is no ``std``.
    """

    mean: float
    std: float

    @checked
    def interval(self, seeds: int, confidence: float = 0.95) -> tuple[float, float]:
        """Where the mean of so many seeds is expected."""
        half = float(ndtri((1 + confidence) / 2)) * self.std / np.sqrt(seeds)
        return self.mean - half, self.mean + half

    def typical(self, std: float) -> float:
        """The mean over networks of log10, from that of squares: ``mean`` - ln(10) std², as normal logarithms have it."""
        return self.mean - LN_10 * std**2


UNKNOWN = Spread(float("nan"), float("nan"))


class Prediction(NamedTuple):
    """Laws of one cell under ``loss="output"``.

    log10_grad_first: of log10 ‖∂y/∂W_1‖_F. log10_grad_slope: of its change from depth 2 to the cell's depth, per layer.
    law: "exact" at any width and depth, "leading order" in 1/width, "mean field" where width is infinite, or "none". Of
    residual2 and post_layernorm the gradient's law is exact and the slope's, deeper than 2, to leading order: then this is
    "leading order" for both.
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
    batch: int = 1,
    length: int = 1,
    loss: str = "output",
) -> Prediction:
    """What theory expects of a cell, whose columns are the arguments. Never raises for a cell that can be measured.

    Exact: linear (any σ_b), ReLU and leaky ReLU (σ_b = 0) with Gaussian or orthogonal weights (:mod:`bench.theory.laws`),
    and identity weights with linear activations. To leading order in 1/width: every other activation and every initializer
    with independent entries (:mod:`bench.theory.finite_width`). Of other architectures, exact but for some slopes: those
    of :mod:`bench.theory.block_laws`; else mean field, of ``batch`` examples of ``length`` positions
    (:mod:`bench.theory.blocks`). No law: identity weights with other activations,
    data-dependent and sparse schemes, schemes of the user's own, ``loss="mse"``, and where the expansion in 1/width fails
    (:meth:`bench.theory.finite_width.Networks.failure`); ``reason`` says which. Raises ValueError for a cell that cannot
    be, and for an activation that is not known.
    """
    if loss != "output":
        return no_law(f"loss {loss}: theory is of the loss output")
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
    if architecture != "plain":
        if gated(architecture):
            return no_law("a gate that is shut: the gradient of a branch times 0 is exactly 0, until training opens it")
        scheme = {"initializer": initializer, "activation": activation, "scale": scale, "bias_std": bias_std}
        if kernels := as_plain(architecture, initializer):
            return _as_plain(kernels, **scheme, width=width, depth=depth, input_norm=input_norm)
        sizes = {"weight_std": weight_std, "width": width, "depth": depth, "input_norm": input_norm}
        if ends := ends_of(architecture, initializer, weights.kind, phi, bias_std=bias_std, **sizes):
            return _of_ends(ends, depth, _law_of(weights))
        unfit = why_not_mean_field(architecture, initializer, weights, bias_std)
        return no_law(unfit) if unfit else _mean_field(architecture, phi, **sizes, batch=batch, length=length)
    invariant = phi.is_linear or (phi.negative_slope is not None and bias_std == 0)
    if invariant:
        return _invariant(phi, weights, weight_std, bias_std, width, depth, input_norm)
    if weights.kind == "identity":
        return no_law("identity weights: a law is known for linear activations only")
    return _leading_order(phi, weights, weight_std, bias_std, width, depth, input_norm)


def why_not_mean_field(architecture: str, initializer: str, weights: Ensemble, bias_std: float) -> str:
    """Why the scheme's matrices in those blocks, or biases, have no law of mean field; nothing where they have."""
    name, given = parsed(architecture)
    if bias_std > 0:
        return f"architecture {architecture}: its law does not know biases"
    if weights.kind == "identity":
        return f"identity weights: no law of {architecture} is known for them"
    if (name in LONG and weights.kind != "iid") or (name in (*LONG, "conv") and "glorot" in initializer):
        return f"initializer {initializer}: in matrices that are not square its variance is not 1/fan_in"
    if initializer == DELTA and given.get("padding") == "zero":
        return f"initializer {initializer}: mean field's kernels see the zeros beside a position, and these do not"
    return ""


def _mean_field(architecture: str, phi: Nonlinearity, *, depth: int, **sizes: Any) -> Prediction:
    first, shallow = (block_trajectory(architecture, phi, depth=each, **sizes, cosines=False) for each in (depth, 2))
    if first is None or shallow is None:
        name = architecture.partition(":")[0]
        is_own = "." in name  # package.module:block
        hint = "" if name in BLOCK_LAWS or is_own else did_you_mean(name, BLOCK_LAWS)
        return no_law(f"architecture {architecture}: no law is known, or it ends before depth {depth}{hint}")
    grads = [float(each.log10_grad[0]) for each in (first, shallow)]
    slope = Spread((grads[0] - grads[1]) / (depth - 2), UNKNOWN.std) if depth > 2 else UNKNOWN
    return Prediction(Spread(grads[0], UNKNOWN.std), slope, "mean field")


def _as_plain(kernels: int, **cell: Any) -> Prediction:
    """Of a plain network whose first gradient is √K times as long."""
    found = predict(**cell)
    mean, std = found.log10_grad_first
    return found._replace(log10_grad_first=Spread(mean + float(np.log10(kernels)) / 2, std), log10_relative_first=UNKNOWN)


def _of_ends(ends: Ends, depth: int, law: str) -> Prediction:
    """From laws of ln ‖·‖² at both ends."""
    decades = 2 * LN_10
    grad = Spread(ends.long.mean / decades, _root(ends.long.variance) / decades)
    if depth == 2 or np.isnan(ends.shared):
        return Prediction(grad, UNKNOWN, law, ends.alive)
    variance, layers = ends.short.variance + ends.long.variance - 2 * ends.shared, (depth - 2) * decades
    slope = Spread((ends.long.mean - ends.short.mean) / layers, _root(variance) / layers)
    return Prediction(grad, slope, law if ends.exact else "leading order", ends.alive)


def _law_of(weights: Ensemble) -> str:
    """Of laws that are exact for Gaussian, orthogonal and identity weights."""
    return "exact" if weights.kind != "iid" or weights.is_gaussian else "leading order"


def _root(variance: float) -> float:
    return float(np.sqrt(max(variance, 0.0)))


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
    return Prediction(_spread(grad, float(np.log10(input_norm))), slope, _law_of(weights), grad.alive, relative)


def _spread(law: Law, shift: float = 0.0) -> Spread:
    return Spread(law.mean + shift, _root(law.variance))


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
    alive = float(np.exp(long.log_alive)) if phi.tail is None else 1.0  # slopes with a tail are nowhere exactly 0
    ends = Ends(Moments(long.mean, long.variance), Moments(short.mean, short.variance), long.shared, alive)
    return _of_ends(ends, depth, "leading order")
