"""How a network of blocks begins: matrices and biases are those of a sweep with the same key, width and seed.

The input layer is Gaussian of variance 1 / fan-in and never scaled, so that h_0 has a mean square of about 1, as a sweep's
h_0 has it; its key is that of layer 0. The readout is that of :mod:`bench.training.draws`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.arithmetic.extended import Numbers, power_of_two
from bench.networks.architectures.architecture import Architecture
from bench.networks.blocks import Blocks, blocks_program, rectangular_gains
from bench.networks.draws import draw_networks, draw_readouts, drawing_options
from bench.networks.initializers import INITIALIZERS
from bench.networks.seeds import over_seeds, place
from bench.networks.segments import LAYERS
from bench.training.block_network import BlockParameters
from bench.training.plan import Cell


class DrawnBlocks(NamedTuple):
    """Networks before scaling, one for each cell."""

    input: Array  # [cells, T · n, inputs / T], as it is trained
    segments: tuple[Blocks, ...]  # of layers 1 and on: [LAYERS, cells, …]
    readout: Array  # [cells, outputs, n]


class BlockFactors(NamedTuple):
    """What drawn arrays of unit scale are multiplied by, for each cell: [cells]."""

    matrices: dict[str, Numbers]  # by name: the scheme's gain × scale × the architecture's own factor
    biases: Numbers


def draw_blocks(
    architecture: Architecture,
    initializer: str,
    *,
    key: int,
    width: int,
    inputs: int,
    length: int,
    outputs: int,
    depth: int,
    seeds: Sequence[int],
    dtype: str,
    mesh: Mesh,
    biased: bool,
) -> DrawnBlocks:
    """The networks of those seeds, one after the other, split over ``mesh``, whose size divides their number."""
    distinct = sorted(set(seeds))
    which = [distinct.index(seed) for seed in seeds]
    keys = place(mesh, draw_networks(key, width, distinct, dtype).keys[which], 0)
    readout = place(mesh, draw_readouts(key, width, distinct, outputs, dtype)[which], 0)
    shapes = tuple(architecture.shapes(width).items())
    options = {"biased": biased, "driven": False, "shared": architecture.shared, "of_radius": tuple(architecture.radii)}
    program = blocks_program(mesh, INITIALIZERS[initializer].family, shapes, (1, 1, width), dtype, **options)
    last = 2 if architecture.shared else depth
    segments = tuple(program(keys, np.int32(first)) for first in range(1, last, LAYERS))
    return DrawnBlocks(embedding_program(mesh, length * width, inputs // length, dtype)(keys), segments, readout)


@cache
def embedding_program(mesh: Mesh, rows: int, columns: int, dtype: str) -> Callable[[Array], Array]:
    """Compiles ``keys [cells, 2] → W_0 [cells, rows, columns]``, of variance 1 / columns."""

    def draw(words: Array) -> Array:
        key = jax.random.fold_in(jax.random.wrap_key_data(words, impl="threefry2x32"), 0)
        return jax.random.normal(key, (rows, columns), jnp.dtype(dtype)) / np.sqrt(columns).astype(dtype)

    return over_seeds(draw, mesh, in_axes=(0,), out_axes=0, options=drawing_options(mesh))


def block_factors(architecture: Architecture, cells: Sequence[Cell], width: int, depth: int) -> BlockFactors:
    """The cells' factors, NaN where a scheme is undefined."""
    gains = [
        rectangular_gains(INITIALIZERS[cell.initializer], architecture, width, cell.scale, cell.factor) for cell in cells
    ]
    further = architecture.factors(depth)
    by_name = {
        name: np.array([cell.factor * gain[name] for cell, gain in zip(cells, gains, strict=True)]) * further.get(name, 1.0)
        for name in architecture.shapes(width)
    }
    return BlockFactors(by_name, np.array([cell.bias_std for cell in cells]))


def assemble_blocks(
    drawn: DrawnBlocks, factors: BlockFactors, architecture: Architecture, depth: int, *, biased: bool
) -> BlockParameters:
    """One cell's parameters, from its own share of what was drawn."""
    count = 1 if architecture.shared else depth - 1
    blocks: Any = jax.tree.map(lambda *parts: jnp.concatenate(parts)[:count], *drawn.segments)
    hidden = {
        name: matrix * (power_of_two(blocks.exponents[name]) * factors.matrices[name])[:, None, None]
        for name, matrix in blocks.matrices.items()
    }
    width, dtype = drawn.readout.shape[-1], drawn.readout.dtype
    beside = architecture.trained(width).items()
    return BlockParameters(
        input=drawn.input,
        hidden=hidden,
        hidden_bias={name: drawn * factors.biases for name, drawn in blocks.biases.items()} if biased else None,
        hidden_beside={name: jnp.full((count, *each.shape), each.start, dtype) for name, each in beside},
        readout=drawn.readout,
    )
