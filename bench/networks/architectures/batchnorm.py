"""Networks that normalize every unit over examples (Ioffe & Szegedy 2015, arXiv 1502.03167)."""

from __future__ import annotations

from jax import Array

from bench.networks.architectures.architecture import Architecture, Step, Weights
from bench.networks.architectures.arguments import choice
from bench.networks.architectures.gains import gains, with_gain
from bench.networks.architectures.norms import batch_norm


def batchnorm(skip: bool = False) -> Architecture:
    """phi(BN(W h)), over the examples and positions of the batch; skip: h + W phi(BN(h)) (He et al. 2016)."""
    choice("skip", skip, (True, False))

    def block(h: Array, weights: Weights, step: Step) -> Array:
        normalize = with_gain(batch_norm, step, "norm")
        if skip:
            return h + weights["W"](step.phi(normalize(h)))
        return step.phi(normalize(weights["W"](h)))

    def check(_width: int, batch: int, length: int) -> tuple[str, int, str] | None:
        wanted = "a batch of 2 or more to normalize over, or several positions"
        return None if batch * length > 1 else ("batch", batch, wanted)

    return Architecture("batchnorm", block, trained=gains("norm"), check=check)
