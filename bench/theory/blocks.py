"""Mean field theory of networks with any blocks: mean squares of h_l and its cotangent, block by block, n → ∞.

An architecture's law is a walk over its blocks: forward, mean squares of h_l and how alike two examples or positions are;
backward, what each block makes of a cotangent. Cotangents meet matrices as if these were drawn anew, which is exact to
leading order in 1/n where no block has its matrices from another one, and in an rnn for √n steps. There is none of gru and
lstm: where a state is also carried past shared matrices, a step through W now and past it next, and the other way round, use
the same Wᵀ and add coherently at any width. The laws are in

    :mod:`bench.theory.lone_blocks`        plain, residual, residual2, normed, pre_layernorm, post_layernorm, rnn
    :mod:`bench.theory.gated_blocks`       highway
    :mod:`bench.theory.batch_norm`         batchnorm
    :mod:`bench.theory.convolutions`       conv
    :mod:`bench.theory.attending_blocks`   transformer

Along (1, …, 1) and h_l a cotangent meets matrices that are not new: little in wide networks of few blocks, and most of it in
deep residual ReLU networks (:mod:`bench.theory.mean_direction`, of residual and highway). Elsewhere, where blocks and
activations keep a factor of their argument, ⟨∂y/∂h_l, h_l⟩ = y by Euler, and V_{L-1} / (n V_l) takes the place of G_l / n.
What is random at finite width is not here (of some architectures it is in :mod:`bench.theory.block_laws`): medians of
measured norms lie below these means by O(L/n).

Derived from He et al. 2015 (plain), Hayou et al. 2021, arXiv 2010.12859 (residual), Xiong et al. 2020, arXiv 2002.04745
(layer norm).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from bench.theory import attending_blocks, batch_norm, convolutions, gated_blocks, lone_blocks
from bench.theory.arguments import checked
from bench.theory.block import Block, Law, Setting
from bench.theory.nonlinearities import Nonlinearity, nonlinearity

LN_10 = math.log(10)
LAWS: Mapping[str, Law] = lone_blocks.LAWS | gated_blocks.LAWS | batch_norm.LAWS | convolutions.LAWS | attending_blocks.LAWS
HOMOGENEOUS = ("plain", "residual2")  # blocks that keep a factor, if activations do


class BlockTrajectory(NamedTuple):
    """Arrays, one entry a block l = 1 … L-1: log10 of root mean squares at infinite width, of all examples and positions."""

    log10_activation: np.ndarray  # ‖h_l‖
    log10_delta: np.ndarray  # ‖∂y/∂h_l‖
    log10_grad: np.ndarray  # ‖∂y/∂W_l‖_F, of all matrices of the block together
    cosine: np.ndarray  # of h_l of two positions of one example, or of two examples; NaN where it is not followed


@checked
def block_trajectory(
    architecture: str,
    activation: Any,
    weight_std: float,
    depth: int,
    width: int,
    *,
    batch: int = 1,
    length: int = 1,
    input_norm: float = 1.0,
    correlation: float = 0.0,
    cosines: bool = True,
) -> BlockTrajectory | None:
    """What mean field theory expects of every block; None of architectures and arguments that it does not know.

    architecture: as in a sweep, such as ``residual:alpha=1/sqrt(L)``; weight_std: σ of N(0, σ²/fan_in); batch, length: how
    many examples a network sees, and positions of each; input_norm: of every one of them, in units of √n; correlation: of
    any two, which a sweep draws independently: 0; cosines=False leaves ``cosine`` out, where nothing else
    depends on it, which saves time. Raises ValueError for an activation that is not known, and for values of arguments, or
    sizes, from which nothing follows; a sweep refuses more of them.
    """
    name, given = parsed(architecture)
    if name not in LAWS or weight_std == 0 or not set(given) <= set(LAWS[name].arguments):
        return None
    by_depth = depth if looks_at_depth(given) else 1  # else of all depths
    check_words(architecture)
    sizes = (weight_std, by_depth, width, batch, length, input_norm, correlation, cosines)
    phi = nonlinearity(activation)
    try:
        walk = _walk(architecture, phi, sizes)
        blocks = walk.first(depth - 1) if LAWS[name].knows(walk.setting) else []
    except ValueError as error:
        if ": got " in str(error):  # a user's activation that fails, which is named
            raise
        raise unusable(architecture, error) from None
    if len(blocks) < depth - 1:  # some laws end
        return None
    return _backward(name, LAWS[name], walk.setting, blocks)


def check_words(architecture: str) -> None:
    """Raises ValueError for a known architecture's argument that is a word, but none of those that it may be."""
    name, given = parsed(architecture)
    for argument, known in LAWS[name].words.items():
        if given.get(argument, known[0]) not in known:
            raise ValueError(f"architecture: got {architecture!r}, expected {argument}={' or '.join(known)}")


def unusable(architecture: str, error: ValueError) -> ValueError:
    """What is raised for arguments from which nothing follows."""
    return ValueError(f"architecture: got {architecture!r}, expected values that a sweep takes ({error})")


class _Walk:
    """The blocks of networks of all depths, as far as anyone has asked for."""

    def __init__(self, law: Law, setting: Setting) -> None:
        self.setting, self._ahead, self._known = setting, law.blocks(setting), []

    def first(self, count: int) -> Sequence[Block]:
        self._known.extend(islice(self._ahead, max(0, count - len(self._known))))
        return self._known[:count]


@lru_cache(maxsize=64)
def _walk(architecture: str, phi: Nonlinearity, sizes: tuple[Any, ...]) -> _Walk:
    name, given = parsed(architecture)
    return _Walk(LAWS[name], Setting(given, phi, *sizes))


def looks_at_depth(given: Mapping[str, str]) -> bool:
    """Whether a block or its draw depends on L."""
    words = {given.get(name) for name in ("alpha", "branch", "init")}
    return bool(words & {"1/sqrt(l)", "1/l", "deepnorm", "fixup"})


def parsed(architecture: str) -> tuple[str, Mapping[str, str]]:
    """The name, and its arguments as they are written, in small letters."""
    name, _, rest = architecture.partition(":")
    return name, dict(part.split("=", 1) for part in rest.lower().split(",") if "=" in part)


def _backward(name: str, law: Law, setting: Setting, blocks: Sequence[Block]) -> BlockTrajectory:
    values = np.array([block.value for block in blocks])
    cotangents = law.start(setting) - (values[-1] if law.normalized(setting) else 0.0)
    delta, weights = np.empty((2, len(blocks)))
    for place in range(len(blocks) - 1, -1, -1):
        delta[place] = law.norm(cotangents)
        cotangents, weights[place] = blocks[place].pull(cotangents)
    weights -= delta
    n, alone = math.log(setting.width), setting.length if name == "conv" else 1
    keeps = name in HOMOGENEOUS or (name == "conv" and setting.says("skip"))
    if keeps and setting.phi.negative_slope is not None:  # ⟨∂y/∂h_l, h_l⟩ = y
        across = delta + math.log1p(-1 / setting.width) if setting.width > 1 else np.full_like(delta, -np.inf)
        delta = np.logaddexp(across, values[-1] - values - n - math.log(alone))
    activation = (values + n + math.log(setting.batch * setting.length)) / (2 * LN_10)
    cosine = np.array([block.cosine for block in blocks])
    return BlockTrajectory(activation, delta / (2 * LN_10), (delta + weights + n) / (2 * LN_10), cosine)


def gated(architecture: str) -> bool:
    """Whether its branches are multiplied by 0 at the start, so that their gradient is exactly 0 until the gate has moved.

    ReZero and SkipInit, and a factor of 0 that is given. Fixup's blocks are not: their last matrix has a gradient.
    """
    _, given = parsed(architecture)
    return given.get("init") in ("rezero", "skipinit") or any(_is_zero(given.get(name)) for name in ("alpha", "branch"))


def _is_zero(text: str | None) -> bool:
    try:
        return text is not None and float(text) == 0
    except ValueError:
        return False
