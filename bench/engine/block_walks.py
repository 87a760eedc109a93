"""Walks over the blocks of networks, a segment at a time: forward for all depths of a run, back for a few of them.

All walks are dispatched without waiting, and those back in threads of their own: what they need of the forward pass is
promised to them, and devices compute each as soon as they have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.arithmetic.number import ZERO, Extended
from bench.engine.blocks import is_number
from bench.engine.one_block import Setting, State
from bench.engine.streams import Promised, in_advance
from bench.networks.architectures.architecture import Architecture
from bench.networks.blocks import Blocks
from bench.networks.seeds import place
from bench.networks.segments import LAYERS, segments_to


class Lanes(NamedTuple):
    """A tile of lanes: what each multiplies drawn arrays by, and the length of its input."""

    scale: dict[str, np.ndarray]
    bias_std: np.ndarray | None  # None where no lane has biases
    input_norm: np.ndarray


class Walks:
    """Of one tile of lanes and the depths that share a forward pass, of which ``depth`` is the largest.

    draw: segment → what is drawn of it, in another stream; forward, ``ahead`` segments are asked for in advance.
    """

    def __init__(
        self,
        draw: Callable[[int], Future[Blocks]],
        inputs: Array,
        readout: Array,
        lanes: Lanes,
        *,
        call: Callable[..., Any],
        mesh: Mesh,
        architecture: Architecture,
        depth: int,
        ahead: int,
    ) -> None:
        self.draw, self.readout, self.call, self.mesh, self.depth, self.ahead = draw, readout, call, mesh, depth, ahead
        dtype = self.dtype = np.dtype(readout.dtype)
        bias_std = None if lanes.bias_std is None else extended(lanes.bias_std, dtype)
        scale = {name: extended(values, dtype) for name, values in lanes.scale.items()}
        self.setting = place(mesh, Setting(scale, bias_std))
        start = jax.tree.map(partial(_start, norms=lanes.input_norm), architecture.start(inputs))
        self.start = place(mesh, start, 0)
        self.states = Promised(segments_to(depth))  # the last of each segment, and what there is before its blocks

    def forward(self, program: Any) -> Iterator[tuple[int, tuple[Extended, Extended]]]:
        """What is told of each segment."""
        start, count = self.start, segments_to(self.depth)
        for index, blocks in enumerate(in_advance(self.draw, count, self.ahead)):
            start, before, *told = self._call(program, index, blocks, self.depth, start)
            self.states.set(index, (start, before))
            yield index, tuple(told)

    def back(self, program: Any, group: Sequence[int], together: int) -> Iterator[tuple[int, Extended]]:
        """What is told of each segment on the way back from these depths, the deepest first, padded to ``together``."""
        ends = np.pad(group, (0, together - len(group)))  # no depth is 0, so that nothing ends there
        silent = jax.tree.map(partial(_silent, together), self.start, is_leaf=is_number)
        cotangent = place(self.mesh, silent, 0)
        for index in reversed(range(segments_to(group[0]))):
            last, before = self.states.get(index)
            cotangent, norms = self._call(program, index, self.draw(index).result(), ends, last, before, cotangent)
            yield index, norms

    def _call(self, program: Any, index: int, blocks: Blocks, depth: Any, *state: State) -> Any:
        first, depth = np.asarray(1 + index * LAYERS, self.dtype), np.asarray(depth, self.dtype)
        return self.call(program, blocks, self.readout, self.setting, first, depth, *state)


def extended(values: np.ndarray, dtype: np.dtype) -> Extended:
    """Numbers of any size, each with an exponent of its own."""
    mantissa, exponent = np.frexp(values)
    return Extended(mantissa.astype(dtype), np.where(mantissa == 0, ZERO, exponent).astype(np.int32))


def _start(h: Array, *, norms: np.ndarray) -> Extended:
    """``norms · h`` for every lane: [seeds, lanes, batch, length, width], with one exponent each."""
    x = np.asarray(h)[:, None]
    _, size = np.frexp(np.max(np.abs(x), axis=(2, 3, 4), keepdims=True))
    mantissa, exponent = np.frexp(norms[None, :, None, None, None])
    shared = size + exponent if np.any(x) else np.full_like(size + exponent, ZERO)
    return Extended(np.ldexp(mantissa.astype(x.dtype) * x, -size), shared.astype(np.int32))


def _silent(depths: int, state: Extended) -> Extended:
    """Cotangents of zero for so many depths: [seeds, depths, lanes, …]."""
    mantissa, exponent = ((part.shape[0], depths, *part.shape[1:]) for part in (state.mantissa, state.exponent))
    return Extended(np.zeros(mantissa, state.dtype), np.full(exponent, ZERO, np.int32))
