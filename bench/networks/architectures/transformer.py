"""Networks that attend to other positions, and then to none (Vaswani et al. 2017, arXiv 1706.03762)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from bench.networks.architectures.architecture import Architecture, Shapes, Step, Weights, same
from bench.networks.architectures.arguments import choice, factor, factor_of, looks_at_depth, whole
from bench.networks.architectures.gains import gains, with_gain
from bench.networks.architectures.norms import Norm, layer_norm


def transformer(norm: str = "pre", heads: int = 1, branch: float | str = 1.0, qk_norm: bool = False) -> Architecture:
    """Attention and then an MLP of width 4n, each h + branch · f(LN(h)); norm: pre, post (LN of the sum), sandwich, none.

    branch: a number, 1/sqrt(L) or 1/L (Noci et al. 2022, arXiv 2206.03126); deepnorm is norm=post, branch=deepnorm: the
    skip is times (2N)^(1/4) with N = L - 1 blocks and V, O and the MLP are times (8N)^(-1/4) (Wang et al. 2022,
    arXiv 2203.00555); qk_norm: queries and keys are normalized (Henry et al. 2020, arXiv 2010.04245).
    """
    choice("norm", norm, ("pre", "post", "sandwich", "none"))
    choice("qk_norm", qk_norm, (True, False))
    whole("heads", heads)
    deep = branch == "deepnorm"
    share = 1.0 if deep else factor("branch", branch)
    placed = {"pre": ("before",), "post": ("after",), "sandwich": ("before", "within"), "none": ()}[norm]
    named = [f"{part}_{place}" for part in ("attention", "mlp") for place in placed]

    def attention(weights: Weights, h: Array) -> Array:
        batch, length, width = h.shape
        query, key, value = (weights[name](h).reshape(batch, length, heads, width // heads) for name in "QKV")
        if qk_norm:
            query, key = layer_norm(query), layer_norm(key)
        logits = jnp.einsum("bthd,bshd->bhts", query, key) / math.sqrt(width // heads)
        mixed = jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(logits, axis=-1), value)
        return weights["O"](mixed.reshape(batch, length, width))

    def block(h: Array, weights: Weights, step: Step) -> Array:
        skip = (2 * (step.depth - 1)) ** 0.25 if deep else 1.0
        added = factor_of(share, step.depth)

        def norm_of(part: str, place: str) -> Norm:
            return with_gain(layer_norm, step, f"{part}_{place}") if place in placed else same

        def add(part: str, h: Array, function: Callable[[Array], Array]) -> Array:
            branch = norm_of(part, "within")(function(norm_of(part, "before")(h)))
            return norm_of(part, "after")(skip * h + added * branch)

        h = add("attention", h, partial(attention, weights))
        return add("mlp", h, lambda h: weights["out"](step.phi(weights["in"](h))))

    def shapes(width: int) -> Shapes:
        square = dict.fromkeys("QKVO", (width, width))
        return {**square, "in": (4 * width, width), "out": (width, 4 * width)}

    def check(width: int, _batch: int, _length: int) -> tuple[str, int, str] | None:
        return None if width % heads == 0 else ("widths", width, f"a width that is a multiple of its {heads} heads")

    return Architecture(
        "transformer",
        block,
        shapes=shapes,
        factors=lambda depth: dict.fromkeys(("V", "O", "in", "out"), (8 * (depth - 1)) ** -0.25) if deep else {},
        read=layer_norm if "before" in placed else same,
        trained=gains(*named),
        by_depth=deep or looks_at_depth(share),
        check=check,
    )
