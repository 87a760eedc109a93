"""Networks without matrices: draws of gradients that are exact in law at any width, in O(n) a layer.

With Gaussian or Haar weights a layer is met along one direction forward and along one for each loss backward. What a
matrix does to any other direction is never asked, so it need not be drawn. With ĥ = h/‖h‖ and a = W h, forward

    a_l = σ ‖h_{l-1}‖ / √n · N(0, I)  (Gaussian)        σ ‖h_{l-1}‖ · uniform on the sphere  (Haar)        z_l = a_l + b_l

Given a_l and everything below, W_l = a_l ĥᵀ/‖h_{l-1}‖ + W_l P with P = I - ĥĥᵀ, and W_l P is, for Gaussian weights,
independent of a_l; for Haar ones σ times a uniform isometry of ĥ's complement into a_l's. The layers above know of W_l
only through a_l. So v_{l-1} = W_lᵀ δ_l given all that is

    ĥ (a_l · δ_l) / ‖h_{l-1}‖ + σ ‖δ_l‖ / √n · P N(0, I)                                                      (Gaussian)
    ĥ (a_l · δ_l) / ‖h_{l-1}‖ + σ ‖δ_l - (δ_l · â)â‖ · uniform on the unit sphere orthogonal to ĥ             (Haar)

and δ_{l-1} = φ′(z_{l-1}) v_{l-1}. Losses of several depths share the matrices: their δ are written in an orthonormal
basis, whose vectors W_lᵀ P maps to independent Gaussian vectors, or to a uniform orthonormal frame. ‖W_1‖² is its part
along x̂, which a_1 gives, and an independent σ²/n · χ² of n(n-1) degrees of freedom (Gaussian); σ² n (Haar).

Vectors are kept as a direction and the logarithm of a norm, and slopes as ln |φ′| and a sign, so that any depth and scale
stays within the float range. What is -inf is exactly 0, or its logarithm is no float (erf at |z| > 10^154). A function of
the user's own has no ln |φ′| but that of a float: where its slopes fall below 10^-323 they are 0 here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bench.theory.arguments import above_zero, checked
from bench.theory.laws import LN_10
from bench.theory.moments import CLIP, tabulated
from bench.theory.nonlinearities import Nonlinearity, nonlinearity

LONGEST = 690.0  # of ln |z|: e^690 is 10^299
AT_ONCE = 2**22  # numbers of an array [layers, samples, n]: three of them are held


class Draws(NamedTuple):
    """Independent networks; -inf where something is exactly zero."""

    log10_grad_first: np.ndarray  # [samples, depths], of ‖∂y/∂W_1‖_F
    log10_output: np.ndarray  # [samples, depths], of |y|
    log10_weight_first: np.ndarray  # [samples], of ‖W_1‖_F

    @property
    def log10_relative_first(self) -> np.ndarray:
        """[samples, depths]: log10 of ‖∂y/∂W_1‖ ‖W_1‖ / |y|; NaN in dead networks."""
        with np.errstate(invalid="ignore"):
            return self.log10_grad_first + self.log10_weight_first[:, None] - self.log10_output


@checked
def draw_networks(
    activation: Any,
    *,
    width: int,
    depths: tuple[int, ...],
    weight_std: float,
    samples: int,
    generator: np.random.Generator,
    bias_std: float = 0.0,
    orthogonal: bool = False,
    input_norm: float = 1.0,
) -> Draws:
    """The loss y at each depth L ≥ 2, for σ > 0 (√(n · variance of an entry)) and inputs of norm √n ``input_norm``.

    Depths of one sample share its weights, biases and readout. Weights are Gaussian, or Haar with ``orthogonal``. Raises
    ValueError for arguments that cannot be.
    """
    above_zero("weight_std", weight_std)
    phi = nonlinearity(activation)
    count = max(1, min(samples, AT_ONCE // (width * max(depths))))
    sizes = [min(count, samples - done) for done in range(0, samples, count)]
    network = _Network(phi, width, np.log(weight_std), bias_std, orthogonal, generator)
    parts = [network.draw(size, depths, np.log(width) / 2 + np.log(input_norm)) for size in sizes]
    return Draws(*(np.concatenate(part) / LN_10 for part in zip(*parts, strict=True)))


class _Layer(NamedTuple):
    below: np.ndarray  # ĥ_{l-1}, [samples, n]
    weighted: np.ndarray  # a_l √n / σ‖h_{l-1}‖, [samples, n]
    sign: np.ndarray  # of φ′(z_l), [samples, n]
    log_slope: np.ndarray  # ln |φ′(z_l)|, [samples, n]


class _Network(NamedTuple):
    phi: Nonlinearity
    width: int
    log_gain: float  # ln σ
    bias_std: float
    orthogonal: bool
    generator: np.random.Generator

    def draw(self, samples: int, depths: tuple[int, ...], log_input: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Natural logarithms of what :class:`Draws` holds."""
        layers, direction = [], _directions(self.generator.standard_normal((samples, self.width)))[0]
        readout, log_norm = (
            _directions(self.generator.standard_normal((samples, self.width)))[0],
            np.full(samples, log_input),
        )
        outputs = {}
        for depth in range(2, max(depths) + 1):
            layer, direction, log_norm = self._forward(direction, log_norm)
            layers.append(layer)
            if depth in depths:
                outputs[depth] = _log(np.abs(np.einsum("si,si->s", readout, direction))) + log_norm
        grad = log_input + self._backward(layers, readout, depths)
        output = np.stack([outputs[depth] for depth in depths], axis=1)
        return grad, output, self._log_weight(layers[0].weighted)

    def _forward(self, direction: np.ndarray, log_norm: np.ndarray) -> tuple[_Layer, np.ndarray, np.ndarray]:
        """Of h_{l-1} to that of h_l."""
        weighted = self.generator.standard_normal(direction.shape)
        if self.orthogonal:
            weighted = _directions(weighted)[0] * np.sqrt(self.width)
        log_size, z = self.log_gain + log_norm - np.log(self.width) / 2, weighted
        if self.bias_std:
            bias, log_bias = self.bias_std * self.generator.standard_normal(direction.shape), np.log(self.bias_std)
            common = np.maximum(log_size, log_bias)
            z, log_size = z * np.exp(log_size - common)[:, None] + bias * np.exp(-common)[:, None], common
        value, sign, log_slope, log_size = _activated(self.phi, z, log_size)
        following, log_value = _directions(value)
        return _Layer(direction, weighted, sign, log_slope), following, log_size + log_value

    def _backward(self, layers: list[_Layer], readout: np.ndarray, depths: tuple[int, ...]) -> np.ndarray:
        """Of ln ‖δ_1‖ at each depth, [samples, depths]."""
        order = sorted(depths, reverse=True)
        cotangents = np.empty((len(readout), 0, self.width))  # directions, [samples, depths that have begun, n]
        log_norms = np.empty((len(readout), 0))
        for depth in range(max(depths), 1, -1):
            if cotangents.shape[1]:
                cotangents = self._transposed(layers[depth - 1], cotangents)
                log_norms = log_norms + self.log_gain
            for _ in range(order.count(depth)):
                cotangents = np.concatenate([cotangents, readout[:, None]], axis=1)
                log_norms = np.pad(log_norms, [(0, 0), (0, 1)])
            cotangents, shrunk = _sloped(layers[depth - 2], cotangents)
            log_norms = log_norms + shrunk
        return log_norms[:, [order.index(depth) for depth in depths]]

    def _transposed(self, layer: _Layer, cotangents: np.ndarray) -> np.ndarray:
        """W_lᵀ δ_l / σ."""
        root = np.sqrt(self.width)
        along = np.einsum("si,ski->sk", layer.weighted, cotangents) / root
        if self.orthogonal:
            cotangents = cotangents - along[:, :, None] * layer.weighted[:, None] / root
        coordinates, _ = _orthonormal(cotangents)
        noise = self.generator.standard_normal(cotangents.shape)
        noise -= np.einsum("si,ski->sk", layer.below, noise)[:, :, None] * layer.below[:, None]
        noise = _orthonormal(noise)[1] if self.orthogonal else noise / root
        return along[:, :, None] * layer.below[:, None] + coordinates @ noise

    def _log_weight(self, weighted: np.ndarray) -> np.ndarray:
        """Of ln ‖W_1‖_F, [samples]."""
        if self.orthogonal:
            return np.full(len(weighted), self.log_gain + np.log(self.width) / 2)
        n = self.width
        rest = self.generator.chisquare(n * (n - 1), len(weighted)) if n > 1 else 0.0
        return self.log_gain + _log(((weighted**2).sum(axis=1) + rest) / n) / 2


def _activated(phi: Nonlinearity, z: np.ndarray, log_size: np.ndarray) -> tuple[np.ndarray, ...]:
    """φ(z e^size) as a value and a logarithm of its size last, between them φ′'s sign and ln |φ′|.

    Beyond e^±CLIP values follow the powers that φ has there.
    """
    if phi.negative_slope is not None:
        return phi.function(z), np.ones_like(z), phi.log_slope(z), log_size
    inside = np.clip(log_size, -CLIP / 2, CLIP / 2)
    powers = np.round(tabulated(phi)(np.array([-CLIP, CLIP])).value2 / 2)
    beyond = log_size - inside
    power = np.where(beyond < 0, powers[0], powers[1])
    grown = power * np.where(power == 0, 0.0, beyond)  # a constant has no length to follow
    at = z * np.exp(inside)[:, None]
    far = z * np.exp(np.clip(log_size, -LONGEST, LONGEST))[:, None]
    log_slope = phi.log_slope(at if phi.tail is None else far)
    return (
        phi.function(at),
        np.where(np.signbit(phi.slope(at)), -1.0, 1.0),
        log_slope,
        grown,
    )


def _sloped(layer: _Layer, cotangents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """φ′ v for [samples, k, n], as :func:`_directions`: slopes are taken relative to the largest of a layer."""
    largest = layer.log_slope.max(axis=1, keepdims=True)
    alive = np.isfinite(largest)
    slopes = np.where(alive, layer.sign * np.exp(layer.log_slope - np.where(alive, largest, 0.0)), 0.0)
    directions, shrunk = _directions(cotangents * slopes[:, None])
    return directions, shrunk + largest


def _directions(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors along the last axis, and logarithms of norms; a vector of zeros stays one."""
    norms = np.sqrt((vectors**2).sum(axis=-1))
    return vectors / np.where(norms > 0, norms, 1.0)[..., None], _log(norms)


def _orthonormal(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gram-Schmidt of [samples, k, n]: coordinates C [samples, k, k], lower triangular, and orthonormal Q, vectors = C Q."""
    left, count = vectors.copy(), vectors.shape[1]
    coordinates = np.zeros((len(vectors), count, count))
    for j in range(count):
        left[:, j], log_norm = _directions(left[:, j])
        coordinates[:, j, j] = np.exp(log_norm)
        coordinates[:, j + 1 :, j] = np.einsum("si,ski->sk", left[:, j], left[:, j + 1 :])
        left[:, j + 1 :] -= coordinates[:, j + 1 :, j, None] * left[:, None, j]
    return coordinates, left


def _log(values: Any) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(values)
