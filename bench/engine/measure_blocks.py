"""From drawn blocks to log10 norms, for any architecture: walks :mod:`bench.engine.blocks` over segments and tiles of lanes.

The host dispatches and adds logarithms (float64), as :mod:`bench.engine.measure` does for plain networks.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Event
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.arithmetic.number import Extended
from bench.engine.assembly import LOG10_2, Measured
from bench.engine.block_walks import Lanes, Walks
from bench.engine.blocks import Norms, Seen, backward_program, forward_program
from bench.engine.gradients import DEPTHS, Shape
from bench.engine.streams import counted, first_alone, streams, streams_for
from bench.networks.activations import Activation
from bench.networks.architectures.architecture import Architecture
from bench.networks.blocks import BlockBatch
from bench.networks.losses import Loss, log2_of
from bench.networks.seeds import fetch_behind
from bench.networks.segments import LAYERS, segments_to

LANES = 16  # of a tile, where a lane is one vector: fewer than for plain networks, whose blocks compute less
VECTORS = 64  # of a tile, where a lane has several


def lanes_together(batch: int, length: int) -> int:
    """How many lanes a tile has: always as many for networks of so many examples and positions, as rounding can tell.

    Fewer where they have many: these fill a product by themselves, and lanes that a sweep does not have cost as much.
    """
    return min(LANES, max(1, VECTORS // (batch * length)))


def passes_at_once(count: int, groups: int) -> int:
    """How many forward passes there are at a time, where so many streams walk back from so many groups of depths each."""
    return 1 + (math.ceil(count / groups) if count > 1 else count // groups)


def measure_blocks(
    batches: Sequence[BlockBatch],
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
) -> Iterator[tuple[int, Measured]]:
    """Every norm of every network, as :func:`bench.engine.measure.measure` yields them, and the number of its batch.

    batches: alike, and of other seeds; the next one's forward pass goes on while the last one is walked back. scales,
    bias_stds, input_norms: [lanes]; gains: by name, what the scale of a matrix is times: [lanes]. ‖∂loss/∂W_l‖ and ‖W_l‖
    are over all matrices of block l together. shape: how lanes and depths are divided, else as on CPUs.
    """
    inputs, readout, _, alone = batches[0]
    runs = [(depth,) for depth in depths] if architecture.by_depth else [tuple(depths)]
    tile, together, _ = shape or Shape(lanes_together(*inputs.shape[1:3]), 1 if architecture.by_depth else DEPTHS)
    tiles = [slice(first, min(first + tile, len(scales))) for first in range(0, len(scales), tile)]
    passes = (sum(segments_to(group[0]) for group in _groups(run, together)) for run in runs)
    whole = len(batches) * len(tiles) * (sum(segments_to(max(run)) for run in runs) + sum(passes))
    count, stopped = streams_for(tile * together * inputs.size, mesh.size), Event()
    programs = mesh, architecture, activation, count > 1
    forward, backward = forward_program(*programs), backward_program(*programs)
    told = partial(_joined, advance=counted(advance, 1 / whole, stopped))
    drawn = LAYERS * len(readout) * sum(map(math.prod, architecture.shapes(inputs.shape[-1]).values()))
    draws = 1 if alone else streams_for(drawn, mesh.size)
    with streams(draws) as drawing, streams(count, stopped) as walking:
        shared = {"call": first_alone(), "mesh": mesh, "architecture": architecture}

        def begun(number: int, run: tuple[int, ...], lanes: slice) -> _Begun:
            batch, padding, factors = batches[number], (0, tile - (lanes.stop - lanes.start)), architecture.factors(max(run))
            given = Lanes(
                {name: np.pad(scales[lanes] * gain[lanes] * factors.get(name, 1), padding) for name, gain in gains.items()},
                np.pad(bias_stds[lanes], padding) if np.any(bias_stds) else None,
                np.pad(input_norms[lanes], padding, constant_values=1),
            )
            draw = partial(drawing, batch.segments)
            walks = Walks(draw, batch.inputs, batch.readout, given, depth=max(run), ahead=draws, **shared)
            try:
                back = [(g, walking(told, walks.back(backward, g, together))) for g in _groups(run, together)]
                return _Begun(number, lanes, given, told(walks.forward(forward)), back)
            except BaseException:
                walks.states.drop()
                raise

        under_way: deque[_Begun] = deque()
        for unit in itertools.product(range(len(batches)), runs, tiles):
            under_way.append(begun(*unit))
            if len(under_way) == passes_at_once(count, len(under_way[0].back)):
                yield from _measured(under_way.popleft(), batches, loss)
        while under_way:
            yield from _measured(under_way.popleft(), batches, loss)


class _Begun(NamedTuple):
    """A forward pass that has come back, and walks back that have begun."""

    batch: int
    lanes: slice
    given: Lanes
    forward: Any
    back: list[tuple[tuple[int, ...], Future]]


def _measured(begun: _Begun, batches: Sequence[BlockBatch], loss: Loss) -> Iterator[tuple[int, Measured]]:
    readout = batches[begun.batch].readout
    told, matrices = begun.forward
    seen, names = _unstacked(told, Seen(0, 0, 0, 0)), begun.given.scale
    drawn = _unstacked(matrices, dict.fromkeys(names, 0))
    with np.errstate(divide="ignore"):  # a scale of 0
        weight = _root_of_squares(_log2(drawn[name])[:, :, None] + np.log2(values) for name, values in names.items())
    logs = Seen(*map(_log2, seen))
    for group, back in (*begun.back[1:], begun.back[0]):  # the deepest are there last
        norms = _unstacked(back.result(), Norms(dict.fromkeys(names, 0), 0))
        for measured in _rows(group, begun.lanes, logs, seen.output, norms, weight, readout, loss):
            yield begun.batch, measured


def _groups(depths: Sequence[int], together: int) -> list[tuple[int, ...]]:
    """Depths that are walked back together, the deepest first, which need all of the forward pass and take longest."""
    deepest_first = sorted(depths, reverse=True)
    return [tuple(deepest_first[i : i + together]) for i in range(0, len(depths), together)]


def _joined(pieces: Iterator[tuple[int, Any]], *, advance: Callable[[], None]) -> Any:
    """What is told of all segments, in float64: every Extended as mantissa and exponent [layers, …, numbers]."""
    found: dict[int, Any] = {}
    for index, piece in fetch_behind(pieces):
        found[index] = piece
        advance()
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
    group: Sequence[int],
    lanes: slice,
    logs: Seen,
    output: Extended,
    norms: Norms,
    weight: np.ndarray,
    readout: Array,
    loss: Loss,
) -> Iterator[Measured]:
    """A group's depths, each of y = u · read(h_{L-1}); ∂loss/∂y is multiplied here, since all gradients are linear in it."""
    kept = slice(lanes.stop - lanes.start)
    grads, deltas = _root_of_squares(map(_log2, norms.grad.values())), _log2(norms.delta)
    log2_readout = np.log2(np.linalg.norm(np.asarray(readout, float), axis=-1))[None, :, None]
    for number, depth in enumerate(group):
        last, blocks = depth - 2, slice(0, depth - 1)
        y = output.mantissa[last], output.exponent[last]
        derivative, log2_loss = log2_of(*loss.derivative(*y)), loss.log2(*y)
        with np.errstate(invalid="ignore"):  # 0 · inf: a gradient of zero stays zero
            grad = np.concatenate([grads[blocks, :, number] + derivative, (logs.read[last] + derivative)[None]])
            delta = np.concatenate([deltas[blocks, :, number] + derivative, derivative[None]])
            leaving = np.concatenate([logs.hidden[blocks], logs.output[last][None]])
            norm = np.concatenate([weight[blocks], np.broadcast_to(log2_readout, weight[:1].shape)])
            relative = grad + norm - log2_loss  # a dead network's is 0/0
        entries = np.full((3, *grad.shape[1:]), np.nan)[:, :, kept]  # are not measured
        cosine = 1 - np.exp2(logs.apart[last])[:, kept]
        values = (LOG10_2 * value[:, :, kept] for value in (grad, delta, leaving, norm, relative))
        yield Measured(depth, lanes, *values, log10_entries=entries, cosine=cosine)
