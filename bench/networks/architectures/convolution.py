"""Networks whose weights are shared by positions."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
from jax import Array

from bench.networks.architectures.architecture import Architecture, Step, Weights
from bench.networks.architectures.arguments import choice, whole


def conv(dims: int = 1, kernel: int = 3, skip: bool = False, padding: str = "circular") -> Architecture:
    """phi(W * h) over positions on a ring or (dims=2) a square torus; skip: h + phi(W * h); padding: circular, zero.

    A matrix [width, kernel^dims · width] is drawn, so that the fan-in counts the kernel (Xiao et al. 2018,
    arXiv 1806.05393).
    """
    whole("dims", dims, at_most=3)
    whole("kernel", kernel)
    choice("skip", skip, (True, False))
    choice("padding", padding, ("circular", "zero"))

    def neighbours(h: Array) -> Array:
        """Of every position the vectors within the kernel, one after another: [batch, length, kernel^dims · width]."""
        batch, length, width = h.shape
        side = round(length ** (1 / dims))
        grid = h.reshape(batch, *[side] * dims, width)
        axes, half = tuple(range(1, dims + 1)), kernel // 2
        around = grid if padding == "circular" else jnp.pad(grid, [(0, 0), *[(half, half)] * dims, (0, 0)])
        offsets = itertools.product(range(-half, kernel - half), repeat=dims)
        shifted = [jnp.roll(around, tuple(-step for step in offset), axes) for offset in offsets]
        if padding != "circular":
            inside = (slice(None), *[slice(half, half + side)] * dims)
            shifted = [each[inside] for each in shifted]
        return jnp.concatenate(shifted, axis=-1).reshape(batch, length, -1)

    def block(h: Array, weights: Weights, step: Step) -> Array:
        branch = step.phi(weights["W"](neighbours(h)))
        return h + branch if skip else branch

    def check(_width: int, _batch: int, length: int) -> tuple[str, int, str] | None:
        side = round(length ** (1 / dims))
        if side**dims != length:
            return "length", length, f"a length that is a {'square' if dims == 2 else 'cube'}"
        return None if kernel <= side else ("length", length, f"a length of {kernel**dims} or more, for kernels of {kernel}")

    return Architecture("conv", block, shapes=lambda width: {"W": (width, kernel**dims * width)}, check=check)
