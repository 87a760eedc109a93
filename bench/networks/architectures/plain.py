"""The network of the lecture."""

from bench.networks.architectures.architecture import Architecture


def plain() -> Architecture:
    """phi(W h)."""
    return Architecture("plain", lambda h, weights, step: step.phi(weights["W"](h)))
