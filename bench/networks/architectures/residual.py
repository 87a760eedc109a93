"""Networks that add (He et al. 2016, arXiv 1512.03385), and how they begin to train without normalization."""

from __future__ import annotations

from jax import Array

from bench.networks.architectures.architecture import Architecture, Step, Trained, Weights
from bench.networks.architectures.arguments import choice, factor, factor_of, looks_at_depth

GATES = {"plain": None, "fixup": None, "skipinit": 0.0, "rezero": 0.0, "layerscale": 1e-4}  # init → alpha, where it trains


def residual(alpha: float | str = 1.0) -> Architecture:
    """Skip: h + alpha phi(W h); alpha: a number, 1/sqrt(L) or 1/L (Hayou et al. 2021, arXiv 2010.12859)."""
    alpha = factor("alpha", alpha)

    def block(h: Array, weights: Weights, step: Step) -> Array:
        return h + factor_of(alpha, step.depth) * step.phi(weights["W"](h))

    return Architecture("residual", block, by_depth=looks_at_depth(alpha))


def residual2(alpha: float | str = 1.0, init: str = "plain") -> Architecture:
    """Skip: h + alpha W2 phi(W1 h); init: plain, fixup (W2 = 0), skipinit, rezero (alpha = 0), layerscale (alpha = 1e-4).

    fixup: W1 and W2 are divided by √L, as blocks of two matrices are, and W2 is 0 (Zhang et al. 2019, arXiv 1901.09321).
    skipinit, rezero: alpha is 0 and trained (De & Smith 2020, arXiv 2002.10444; Bachlechner et al. 2021, arXiv 2003.04887).
    layerscale: each unit has an alpha of its own, which is trained (Touvron et al. 2021, arXiv 2103.17239).
    """
    gate = GATES[str(choice("init", init, GATES))]
    alpha = factor("alpha", alpha)
    if gate is not None and alpha != 1:
        raise ValueError(f"alpha: none beside init={init}, which sets it")

    def trained(width: int) -> dict[str, Trained]:
        return {} if gate is None else {"alpha": Trained(gate, (width if init == "layerscale" else 1,))}

    def block(h: Array, weights: Weights, step: Step) -> Array:
        share = factor_of(alpha, step.depth) if gate is None else step.trained["alpha"]
        return h + share * weights["W2"](step.phi(weights["W1"](h)))

    return Architecture(
        "residual2",
        block,
        shapes=lambda width: {"W1": (width, width), "W2": (width, width)},
        factors=lambda depth: {"W1": depth**-0.5, "W2": 0.0} if init == "fixup" else {},
        trained=trained,
        by_depth=init == "fixup" or (gate is None and looks_at_depth(alpha)),
    )
