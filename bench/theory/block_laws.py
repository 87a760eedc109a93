"""Laws across seeds of networks with other blocks, exact at any width: which architectures have one, and of what.

    residual, conv with a skip      linear                                       :mod:`bench.theory.skip_laws`
    residual2                       linear, ReLU, leaky ReLU                     :mod:`bench.theory.branch_laws`
    normed                          linear; with RMSNorm: ReLU too               :mod:`bench.theory.normed_laws`
    post_layernorm                  linear, with RMSNorm                         :mod:`bench.theory.post_laws`
    conv                            as plain, where no position sees another

with Gaussian and orthogonal weights (post_layernorm: Gaussian; sums: the identity too). Slopes of residual2 and
post_layernorm have theirs to leading order in 1/n, or none at small n. Matrices of other independent
entries have these laws to leading order in 1/n: what is not normal in a sum over n entries is of order 1/n². Examples and
positions beside the first example's last do not matter: no block here lets one see another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.theory.block import Setting
from bench.theory.blocks import LAWS as KNOWN
from bench.theory.blocks import check_words, parsed, unusable
from bench.theory.ends import Case, Ends
from bench.theory.nonlinearities import Nonlinearity
from bench.theory.normed_laws import normed
from bench.theory.post_laws import post_layernorm
from bench.theory.skip_laws import convolution, residual, residual2


def _convolution(case: Case) -> Ends | None:
    kernels = seen(case.setting.given)
    return convolution(case, kernels) if case.setting.says("skip") and (kernels == 1 or case.delta) else None


def seen(given: Mapping[str, str]) -> int:
    """How many positions a convolution's kernel sees from the last one, which between zeros is in a corner."""
    kernel, dims = int(given.get("kernel", "3")), int(given.get("dims", "1"))
    inside = kernel if given.get("padding", "circular") == "circular" else kernel // 2 + 1
    return inside**dims


LAWS: Mapping[str, Callable[[Case], Ends | None]] = {
    "residual": residual,
    "residual2": residual2,
    "normed": normed,
    "post_layernorm": post_layernorm,
    "conv": _convolution,
}
DELTA = "delta_orthogonal"


def ends_of(
    architecture: str,
    initializer: str,
    kind: str,
    phi: Nonlinearity,
    *,
    weight_std: float,
    bias_std: float,
    width: int,
    depth: int,
    input_norm: float,
) -> Ends | None:
    """The law of such networks; None where none is known. Blocks that are multiplied by 0 are not asked for.

    Raises ValueError for values of arguments from which nothing follows.
    """
    name, given = parsed(architecture)
    if name not in LAWS or not set(given) <= set(KNOWN[name].arguments):
        return None
    check_words(architecture)
    setting = Setting(given, phi, weight_std, depth, width, 1, 1, input_norm, 0.0, False)
    try:
        return LAWS[name](Case(setting, kind, bias_std > 0, initializer == DELTA))
    except ValueError as error:
        raise unusable(architecture, error) from None


def as_plain(architecture: str, initializer: str) -> int:
    """K where at the readout's position such a network is a plain one, with a first gradient √K times as long; else 0.

    A convolution of kernels that are 0 beside their middle, or see one position. K: those that the kernel sees.
    """
    name, given = parsed(architecture)
    if name != "conv" or not set(given) <= set(KNOWN[name].arguments):
        return 0
    check_words(architecture)
    try:
        kernels = seen(given)
    except ValueError as error:
        raise unusable(architecture, error) from None
    return kernels if given.get("skip") != "true" and (given.get("kernel") == "1" or initializer == DELTA) else 0
