"""Networks that normalize every example by itself: before a branch, after the sum, or without a sum."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from bench.networks.architectures.architecture import Architecture, Step, Weights
from bench.networks.architectures.arguments import choice
from bench.networks.architectures.gains import gains, with_gain
from bench.networks.architectures.norms import NORMS, Norm


def _norm(name: str) -> Norm:
    return NORMS[str(choice("norm", name, NORMS))]


def normed(norm: str = "layer", after: bool = False) -> Architecture:
    """phi(LN(W h)), without a skip; norm: layer or rms; after: LN(phi(W h))."""
    normalize = _norm(norm)
    choice("after", after, (True, False))

    def block(h: Array, weights: Weights, step: Step) -> Array:
        z, gained = weights["W"](h), with_gain(normalize, step, "norm")
        return gained(step.phi(z)) if after else step.phi(gained(z))

    return Architecture("normed", block, trained=gains("norm", offsets=norm == "layer"))


def pre_layernorm(norm: str = "layer", scaling: str = "none", peri: bool = False) -> Architecture:
    """Skip: h + W phi(LN(h)), LN before the readout; norm: layer, rms; scaling: none, 1/sqrt(l); peri: LN of W phi(…) too.

    scaling divides what LN hands to block l by √l (Sun et al. 2025, arXiv 2502.05795); peri is Kim et al. 2025,
    arXiv 2502.02732; without them, Xiong et al. 2020, arXiv 2002.04745.
    """
    normalize = _norm(norm)
    choice("scaling", scaling, ("none", "1/sqrt(l)"))
    choice("peri", peri, (True, False))

    def block(h: Array, weights: Weights, step: Step) -> Array:
        divisor = jnp.sqrt(step.layer) if scaling == "1/sqrt(l)" else 1.0
        branch = weights["W"](step.phi(with_gain(normalize, step, "norm")(h) / divisor))
        return h + (with_gain(normalize, step, "branch")(branch) if peri else branch)

    named = ("norm", "branch") if peri else ("norm",)
    return Architecture("pre_layernorm", block, read=normalize, trained=gains(*named, offsets=norm == "layer"))


def post_layernorm(norm: str = "layer") -> Architecture:
    """LN(h + W phi(h)); norm: layer or rms."""
    normalize = _norm(norm)

    def block(h: Array, weights: Weights, step: Step) -> Array:
        return with_gain(normalize, step, "norm")(h + weights["W"](step.phi(h)))

    return Architecture("post_layernorm", block, trained=gains("norm", offsets=norm == "layer"))
