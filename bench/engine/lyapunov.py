r"""The measured Lyapunov exponents of a network's Jacobian: how differently it stretches different directions.

``J = D_{L-1} W_{L-1} ⋯ D_1 W_1`` carries an orthonormal frame Q_0 of k directions upward, layer by layer by QR:

    D_l W_l Q_{l-1} = Q_l R_l,        λ_i = Σ_l log10 |(R_l)_ii| / (L - 1)

in decades per layer (Benettin et al. 1980, Meccanica 15). For an isometry, and any multiple of one, all are equal. They tend
to log10 σ_i / (L - 1) of J's largest singular values with depth and, unlike them, keep their digits at any depth, since no
direction is ever lost in rounding beside a larger one. For Gaussian weights of variance σ² / n without slopes they are, at
every depth, means of L - 1 independent log10 (σ χ_{n-i+1} / √n) (Newman 1986, Commun. Math. Phys. 103).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.custom_batching import sequential_vmap
from jax.sharding import Mesh

from bench.arithmetic.extended import Split, share_exponent
from bench.engine.assembly import LOG10_2
from bench.engine.jacobians import preactivations, slopes_at
from bench.networks.activations import Activation
from bench.networks.seeds import fetch_behind, over_seeds, place
from bench.networks.segments import LAYERS, Segment, segments_to


@sequential_vmap
def frame_of(columns: Array) -> tuple[Array, Array]:
    """Q and R of one matrix, and of several one after the other.

    Of several at once, LAPACK in jaxlib 0.10 waits for threads of the pool whose thread it holds itself, and devices that do
    so at the same time wait for one another without an end.
    """
    frame, triangle = jnp.linalg.qr(columns)
    return frame, triangle


def stretch_segment(segment: Segment, slopes: Split, frame: Array, layers: Array) -> tuple[Array, Array]:
    """One seed's frames [lanes, width, k] after the segment's first ``layers``, and Σ log2 |R_ii| over them [lanes, k].

    A stretch that is lost in rounding beside the layer's largest is taken as 0: its logarithm is -inf, as of a rank too low.
    """

    def layer(index: Array, carried: tuple[Array, Array]) -> tuple[Array, Array]:
        frame, total = carried
        slope, exponent = share_exponent(Split(slopes.mantissa[index], slopes.log2[index]))
        moved = jnp.einsum("ij,ljk->lik", segment.weights[index], frame, precision=lax.Precision.HIGHEST)
        frame, triangle = jax.vmap(frame_of)(slope[:, :, None] * moved)
        stretch = jnp.abs(jnp.diagonal(triangle, axis1=-2, axis2=-1))
        rounding = jnp.finfo(stretch.dtype).eps * frame.shape[1] * jnp.max(stretch, axis=-1, keepdims=True)
        log2 = jnp.log2(jnp.where(stretch > rounding, stretch, jnp.zeros_like(stretch)))
        return frame, total + log2 + (exponent + segment.weight_exponent[index])[:, None]

    start = jnp.zeros((frame.shape[0], frame.shape[2]), frame.dtype)
    return lax.fori_loop(0, layers, layer, (frame, start))


@cache
def stretch_program(mesh: Mesh) -> Callable[..., tuple[Array, Array]]:
    """The compiled walk over a segment; the activation is data to it."""
    return over_seeds(stretch_segment, mesh, in_axes=(1, 1, 0, None), out_axes=(0, 0))


def lyapunov_exponents(
    segments: Callable[[int], Segment],
    inputs: Array,
    *,
    mesh: Mesh,
    activation: Activation,
    scales: np.ndarray,
    bias_stds: np.ndarray,
    depth: int,
    count: int,
    input_norms: np.ndarray | None = None,
) -> np.ndarray:
    """The first ``count`` exponents λ_i [lanes, seeds, count] in decades per layer, at depth L ≥ 2; float64.

    segments: index → Segment, asked for in order; inputs: [seeds, width], split over ``mesh``; scales, bias_stds and
    input_norms (1 by default): [lanes]; count: 1 … width. -inf for directions that the network loses, as all are at
    scale 0. The first frame is random, and the same for all.
    """
    seeds, width = inputs.shape
    start = np.linalg.qr(np.random.default_rng(0).normal(size=(width, count)))[0]
    frame = place(mesh, np.broadcast_to(start, (seeds, len(scales), width, count)).astype(inputs.dtype), 0)

    def walk() -> Iterator[tuple[int, Array]]:
        nonlocal frame
        layers = preactivations(
            segments,
            [inputs],
            mesh=mesh,
            activation=activation,
            scales=scales,
            bias_stds=bias_stds,
            count=segments_to(depth),
            input_norms=input_norms,
        )
        for index, (segment, value, exponent) in enumerate(layers):
            inside = np.int32(min(depth - 1 - index * LAYERS, LAYERS))
            frame, log2 = stretch_program(mesh)(segment, slopes_at(activation, value, exponent), frame, inside)
            yield index, log2

    log2 = np.sum([np.asarray(part, float) for _, part in fetch_behind(walk())], axis=0)
    with np.errstate(divide="ignore"):
        return log2.swapaxes(0, 1) * LOG10_2 / (depth - 1) + np.log10(scales)[:, None, None]
