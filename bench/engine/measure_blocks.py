"""From drawn blocks to log10 norms, for any architecture: walks :mod:`bench.engine.blocks` over segments and tiles of lanes.

The host dispatches and adds logarithms (float64), as :mod:`bench.engine.measure` does for plain networks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.arithmetic.number import ZERO, Extended
from bench.engine.assembly import LOG10_2, Measured
from bench.engine.blocks import Norms, Seen, Setting, backward_program, forward_program, is_number
from bench.engine.gradients import DEPTHS, Shape
from bench.networks.activations import Activation
from bench.networks.architectures.architecture import Architecture
from bench.networks.blocks import BlockBatch
from bench.networks.losses import Loss, log2_of
from bench.networks.seeds import fetch_behind, place
from bench.networks.segments import LAYERS, segments_to

LANES = 16  # of a tile, where a lane is one vector: fewer than for plain networks, whose blocks compute less
VECTORS = 32  # of a tile, where a lane has several


def lanes_together(batch: int, length: int) -> int:
    """How many lanes a tile has: always as many for networks of so many examples and positions, as rounding can tell.

    Fewer where they have many: these fill a product by themselves, and lanes that a sweep does not have cost as much.
    """
    return min(LANES, max(1, VECTORS // (batch * length)))


def measure_blocks(
    batch: BlockBatch,
    *,
    mesh: Mesh,
    architecture: Architecture,
    activation: Activation,
    loss: Loss,
    scales: np.ndarray,
    gains: dict[str, np.ndarray],
    bias_stds: np.ndarray,
    depths: Sequence[int],
    input_norms: np.ndarray,
    shape: Shape | None = None,
    advance: Callable[[float], None] = lambda _share: None,
) -> Iterator[Measured]:
    """Every norm of every network, as :func:`bench.engine.measure.measure` yields them.

    scales, bias_stds, input_norms: [lanes]; gains: by name, what the scale of a matrix is times: [lanes]. ‖∂loss/∂W_l‖ and
    ‖W_l‖ are over all matrices of block l together. shape: how lanes and depths are divided, else as on CPUs.
    """
    inputs, readout, segments = batch
    forward, backward = (program(mesh, architecture, activation) for program in (forward_program, backward_program))
    runs = [(depth,) for depth in depths] if architecture.by_depth else [tuple(depths)]
    tile, together, _ = shape or Shape(lanes_together(*batch.inputs.shape[1:3]), 1 if architecture.by_depth else DEPTHS)
    tiles = [slice(first, min(first + tile, len(scales))) for first in range(0, len(scales), tile)]
    passes = (sum(segments_to(group[0]) for group in _groups(run, together)) for run in runs)
    whole = len(tiles) * (sum(segments_to(max(run)) for run in runs) + sum(passes))
    dtype = np.dtype(readout.dtype)
    biased = bool(np.any(bias_stds))
    for run, lanes in itertools.product(runs, tiles):
        padding = (0, tile - (lanes.stop - lanes.start))
        factors = architecture.factors(max(run))
        scale = {name: np.pad(scales[lanes] * gain[lanes] * factors.get(name, 1), padding) for name, gain in gains.items()}
        bias_std = extended(np.pad(bias_stds[lanes], padding), dtype) if biased else None
        setting = place(mesh, Setting({name: extended(values, dtype) for name, values in scale.items()}, bias_std))
        lengths = np.pad(input_norms[lanes], padding, constant_values=1)
        start = place(mesh, jax.tree.map(lambda h, lengths=lengths: _start(h, lengths), architecture.start(inputs)), 0)
        states: list[tuple[Any, Any]] = []  # before the first block of each segment, and after each of its blocks

        def call(program: Any, index: int, depth: Any, *state: Any, setting: Setting = setting) -> Any:
            first = np.asarray(1 + index * LAYERS, dtype)
            return program(segments(index), readout, setting, first, np.asarray(depth, dtype), *state)

        def run_forward(
            start: Any = start, states: list[Any] = states, call: Any = call, depth: int = max(run)
        ) -> Iterator[tuple[int, tuple[Extended, Extended]]]:
            for index in range(segments_to(depth)):
                after, last, *told = call(forward, index, depth, start)
                states.append((start, after))
                start = last
                yield index, tuple(told)

        def walk_back(
            group: tuple[int, ...], states: list[Any] = states, call: Any = call
        ) -> Iterator[tuple[int, Extended]]:
            ends = np.pad(group, (0, together - len(group)))  # no depth is 0, so that nothing ends there
            silent = jax.tree.map(partial(_silent, together), states[0][0], is_leaf=is_number)
            cotangent = place(mesh, silent, 0)
            for index in reversed(range(segments_to(group[0]))):
                cotangent, norms = call(backward, index, ends, *states[index], cotangent)
                yield index, norms

        told, matrices = _joined(run_forward(), advance, whole)
        seen, drawn = _unstacked(told, Seen(0, 0, 0, 0)), _unstacked(matrices, dict.fromkeys(gains, 0))
        with np.errstate(divide="ignore"):  # a scale of 0
            weight = _root_of_squares(_log2(drawn[name])[:, :, None] + np.log2(values) for name, values in scale.items())
        for group in _groups(run, together):
            norms = _unstacked(_joined(walk_back(group), advance, whole), Norms(dict.fromkeys(gains, 0), 0))
            yield from _rows(group, lanes, seen, norms, weight, readout, loss)


def _groups(depths: Sequence[int], together: int) -> list[tuple[int, ...]]:
    """Depths that are walked back together, the deepest first."""
    deepest_first = sorted(depths, reverse=True)
    return [tuple(deepest_first[i : i + together]) for i in range(0, len(depths), together)]


def extended(values: np.ndarray, dtype: np.dtype) -> Extended:
    """Numbers of any size, each with an exponent of its own."""
    mantissa, exponent = np.frexp(values)
    return Extended(mantissa.astype(dtype), np.where(mantissa == 0, ZERO, exponent).astype(np.int32))


def _start(h: Array, norms: np.ndarray) -> Extended:
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


def _joined(pieces: Iterator[tuple[int, Any]], advance: Callable[[float], None], whole: int) -> Any:
    """What is told of all segments, in float64: every Extended as mantissa and exponent [layers, …, numbers]."""
    found: dict[int, Any] = {}
    for index, piece in fetch_behind(pieces):
        found[index] = piece
        advance(1 / whole)
    in_order = [found[index] for index in sorted(found)]
    return jax.tree.map(lambda *parts: np.concatenate([np.moveaxis(part.astype(float), -1, 0) for part in parts]), *in_order)


def _unstacked(number: Extended, tree: Any) -> Any:
    """The numbers that were stacked, as leaves of a tree of this form."""
    leaves, form = jax.tree.flatten(tree)
    parts = (number.mantissa[..., i] for i in range(len(leaves))), (number.exponent[..., i] for i in range(len(leaves)))
    return jax.tree.unflatten(form, [Extended(*each) for each in zip(*parts, strict=True)])


def _log2(number: Extended) -> np.ndarray:
    return log2_of(number.mantissa, number.exponent)


def _root_of_squares(log2_norms: Iterable[np.ndarray]) -> np.ndarray:
    """log2 of the norm of all parts together."""
    with np.errstate(invalid="ignore"):  # of blocks behind the last, which may have no value
        return np.logaddexp2.reduce([2 * part for part in log2_norms]) / 2


def _rows(
    group: Sequence[int], lanes: slice, seen: Seen, norms: Norms, weight: np.ndarray, readout: Array, loss: Loss
) -> Iterator[Measured]:
    """A group's depths, each of y = u · read(h_{L-1}); ∂loss/∂y is multiplied here, since all gradients are linear in it."""
    kept = slice(lanes.stop - lanes.start)
    grads, deltas = _root_of_squares(map(_log2, norms.grad.values())), _log2(norms.delta)
    log2_readout = np.log2(np.linalg.norm(np.asarray(readout, float), axis=-1))[None, :, None]
    for number, depth in enumerate(group):
        last, blocks = depth - 2, slice(0, depth - 1)
        y = seen.output.mantissa[last], seen.output.exponent[last]
        derivative, log2_loss = log2_of(*loss.derivative(*y)), loss.log2(*y)
        with np.errstate(invalid="ignore"):  # 0 · inf: a gradient of zero stays zero
            grad = np.concatenate([grads[blocks, :, number] + derivative, (_log2(seen.read)[last] + derivative)[None]])
            delta = np.concatenate([deltas[blocks, :, number] + derivative, derivative[None]])
            leaving = np.concatenate([_log2(seen.hidden)[blocks], log2_of(*y)[None]])
            norm = np.concatenate([weight[blocks], np.broadcast_to(log2_readout, weight[:1].shape)])
            relative = grad + norm - log2_loss  # a dead network's is 0/0
        entries = np.full((3, *grad.shape[1:]), np.nan)[:, :, kept]  # are not measured
        cosine = 1 - np.exp2(_log2(seen.apart)[last])[:, kept]
        values = (LOG10_2 * value[:, :, kept] for value in (grad, delta, leaving, norm, relative))
        yield Measured(depth, lanes, *values, log10_entries=entries, cosine=cosine)
