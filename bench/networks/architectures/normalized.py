"""Networks that normalize every example by itself: LayerNorm before a branch, after the sum, or without a sum."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from bench.networks.architectures.architecture import Architecture, Step, Weights
from bench.networks.architectures.arguments import choice
from bench.networks.architectures.norms import NORMS, Norm


def _norm(name: str) -> Norm:
    return NORMS[str(choice("norm", name, NORMS))]


def normed(norm: str = "layer") -> Architecture:
    """phi(LN(W h)), without a skip; norm: layer or rms."""
    normalize = _norm(norm)
    return Architecture("normed", lambda h, weights, step: step.phi(normalize(weights["W"](h))))


def pre_layernorm(norm: str = "layer", scaling: str = "none", peri: bool = False) -> Architecture:
    """Skip: h + phi(W LN(h)), LN before the readout; norm: layer, rms; scaling: none, 1/sqrt(l); peri: LN after phi too.

    scaling divides what LN hands to block l by √l (Sun et al. 2025, arXiv 2502.05795); peri is Kim et al. 2025,
    arXiv 2502.02732.
    """
    normalize = _norm(norm)
    choice("scaling", scaling, ("none", "1/sqrt(l)"))
    choice("peri", peri, (True, False))

    def block(h: Array, weights: Weights, step: Step) -> Array:
        divisor = jnp.sqrt(step.layer) if scaling == "1/sqrt(l)" else 1.0
        branch = step.phi(weights["W"](normalize(h) / divisor))
        return h + (normalize(branch) if peri else branch)

    return Architecture("pre_layernorm", block, read=normalize)


def post_layernorm(norm: str = "layer") -> Architecture:
    """LN(h + phi(W h)); norm: layer or rms."""
    normalize = _norm(norm)
    return Architecture("post_layernorm", lambda h, weights, step: normalize(h + step.phi(weights["W"](h))))
