"""Mean field theory of networks that add and normalize: mean squares of h_l and its cotangent, block by block, n → ∞.

With σ = weight_std, matrices N(0, σ²/n), V = V_{l-1} the mean square of the entries of h_{l-1}, averages over z ~ N(0, q),
and G_l that of ∂y/∂h_l in units of 1/n:

    plain            q = σ²V    V_l = E φ²                             G_{l-1} = G_l σ² E φ′²
    residual         q = σ²V    V_l = V + 2 α M E φ + α² E φ²          G_{l-1} = G_l (1 + α² σ² E φ′²)
    residual2        q = σ²V    V_l = V + α² σ² E φ²                   G_{l-1} = G_l (1 + α² σ⁴ E φ′²)
    normed           q = 1      V_l = E φ²                             G_{l-1} = G_l E φ′² / V
    normed, after    q = σ²V    V_l = 1,  s² = Var φ (rms: E φ²)       G_{l-1} = G_l σ² E φ′² / s²
    pre_layernorm    q = 1/l or 1    V_l = V + σ² E φ²                 G_{l-1} = G_l (1 + σ² q E φ′² / V)
    post_layernorm   q = 1      V_l = 1,  s² = 1 + σ² E φ²             G_{l-1} = G_l (1 + σ² E φ′²) / s²

M is the mean of h's entries, M_l = M + α E φ: activations that are positive on average add up. A normalization divides
cotangents by what it divides the signal by; its two projections cost O(1/n). Where blocks and activations keep a factor of
their argument, ⟨∂y/∂h_l, h_l⟩ = y by Euler, so that V_{L-1} / (n V_l) takes the place of G_l / n: little in wide networks of
few blocks, and most of it where V grows faster than G, as in deep residual ReLU networks.

Derived from He et al. 2015 (plain), Hayou et al. 2021, arXiv 2010.12859 (residual), Xiong et al. 2020, arXiv 2002.04745
(layer norm). What is random at finite width is not here: medians of measured norms lie below these means by O(L/n).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bench.theory.arguments import checked
from bench.theory.moments import CLIP, expectation, moments
from bench.theory.nonlinearities import Nonlinearity, nonlinearity

LN_10 = math.log(10)
HOMOGENEOUS = ("plain", "residual", "residual2")  # blocks that keep a factor, if activations do
KNOWN = ("plain", "residual", "residual2", "normed", "pre_layernorm", "post_layernorm")


class BlockTrajectory(NamedTuple):
    """Arrays, one entry a block l = 1 … L-1: log10 of root mean squares at infinite width, for inputs of norm √n."""

    log10_activation: np.ndarray  # ‖h_l‖
    log10_delta: np.ndarray  # ‖∂y/∂h_l‖
    log10_grad: np.ndarray  # ‖∂y/∂W_l‖_F, of all matrices of the block together


class _Block(NamedTuple):
    """What one block does to mean squares, in natural logarithms, so that they may be of any size."""

    value: float  # V_l
    back: float  # G_{l-1} / G_l
    weights: float  # ‖∂y/∂W_l‖² / (n G_l)
    tilt: float = 0.0  # M_l / √V_l itself


@checked
def block_trajectory(
    architecture: str, activation: str, weight_std: float, depth: int, width: int
) -> BlockTrajectory | None:
    """What mean field theory expects of every block; None of architectures and arguments that it does not know.

    architecture: as in a sweep, such as ``residual:alpha=1/sqrt(L)``; weight_std: σ of N(0, σ²/fan_in). Raises
    ValueError for an activation that is not known.
    """
    name, given = _parsed(architecture)
    phi = nonlinearity(activation)
    if name not in KNOWN or weight_std == 0 or given.get("norm", "layer") not in ("layer", "rms"):
        return None
    state, blocks = _Block(0.0, 0.0, 0.0), []
    for layer in range(1, depth):
        known = _block(name, given, phi, weight_std, state, layer, depth)
        if known is None:
            return None
        state = known
        blocks.append(state)
    values, back, weights, _ = np.array(blocks).T / math.log(10)
    final = -values[-1] if name == "pre_layernorm" else 0.0  # y = u · LN(h)
    delta = final + np.append(np.cumsum(back[:0:-1])[::-1], 0.0)
    n = math.log10(width)
    if name in HOMOGENEOUS and phi.negative_slope is not None:  # ⟨∂y/∂h_l, h_l⟩ = y
        along = values[-1] - values - n
        across = delta + np.log10(1 - 1 / width) if width > 1 else delta - np.inf
        delta = np.logaddexp(across * LN_10, along * LN_10) / LN_10
    return BlockTrajectory((values + n) / 2, delta / 2, (delta + weights + n) / 2)


def _parsed(architecture: str) -> tuple[str, Mapping[str, str]]:
    name, _, rest = architecture.partition(":")
    return name, dict(part.split("=", 1) for part in rest.lower().split(",") if "=" in part)


def _averages(phi: Nonlinearity, log_variance: float) -> tuple[float, float, float]:
    """E φ / √q, ln E φ² and ln E φ′² over N(0, q)."""
    found = moments(phi, np.array([log_variance]))
    variance = np.exp(np.clip([log_variance], -CLIP, CLIP))  # beyond, φ is z, a constant or 0
    (mean,) = expectation(lambda z: (phi.function(z),), variance)
    return float(mean[0] / np.sqrt(variance[0])), float(found.log_value[0]), float(found.log_slope[0])


def _block(
    name: str, given: Mapping[str, str], phi: Nonlinearity, std: float, state: _Block, layer: int, depth: int
) -> _Block | None:
    """Of block ``layer``, from what the one before left; None for arguments that are not known."""
    value, square = state.value, 2 * math.log(std)
    match name, set(given):
        case "plain", _:
            _, height, slope = _averages(phi, square + value)
            return _Block(height, square + slope, slope + value)
        case "residual", names if names <= {"alpha"}:
            alpha = _factor(given, depth)
            if alpha < 0:  # means of branches alternate
                return None
            shrunk = 2 * _log(alpha)
            middle, height, slope = _averages(phi, square + value)
            middle *= alpha * std  # in units of √V
            more = float(np.logaddexp(math.log1p(2 * state.tilt * middle), shrunk + height - value))
            tilt = (state.tilt + middle) * math.exp(-more / 2)
            return _Block(value + more, _log1p_exp(shrunk + square + slope), shrunk + slope + value, tilt)
        case "residual2", names if names <= {"alpha"}:
            shrunk = 2 * _log(abs(_factor(given, depth)))
            _, height, slope = _averages(phi, square + value)
            more, back = (_log1p_exp(shrunk + part) for part in (square + height - value, 2 * square + slope))
            return _Block(value + more, back, shrunk + float(np.logaddexp(height, square + slope + value)))
        case "normed", names if names <= {"norm", "after"} and given.get("after") != "true":
            _, height, slope = _averages(phi, 0.0)
            return _Block(height, slope - value, slope - square)
        case "normed", names if names <= {"norm", "after"}:
            middle, height, slope = _averages(phi, square + value)
            removed = 0.0 if given.get("norm") == "rms" else middle**2 * math.exp(square + value - height)
            divided = height + math.log1p(-removed)
            return _Block(0.0, square + slope - divided, slope + value - divided)
        case "pre_layernorm", names if names <= {"norm", "scaling"}:
            variance = -math.log(layer) if given.get("scaling") == "1/sqrt(l)" else 0.0
            _, height, slope = _averages(phi, variance)
            more, back = (_log1p_exp(square + part - value) for part in (height, variance + slope))
            return _Block(value + more, back, height)
        case "post_layernorm", names if names <= {"norm"}:
            _, height, slope = _averages(phi, 0.0)
            divided = _log1p_exp(square + height)
            return _Block(0.0, _log1p_exp(square + slope) - divided, height - divided)
    return None


def _factor(given: Mapping[str, str], depth: int) -> float:
    alpha = given.get("alpha", "1")
    return {"1/sqrt(l)": depth**-0.5, "1/l": 1 / depth}[alpha] if "l" in alpha else float(alpha)


def _log1p_exp(logarithm: float) -> float:
    """ln(1 + e^x) of any x."""
    return float(np.logaddexp(0.0, logarithm))


def _log(number: float) -> float:
    return math.log(number) if number > 0 else -math.inf
