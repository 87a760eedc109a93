"""All randomness: every array has a key of its own, made from the run's key, the width, the seed, and its layer and purpose.

A value therefore depends on nothing else: not on the depths and scales beside it, the chunking, or the devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Any, NamedTuple, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from bench.arithmetic.compiling import options_for
from bench.arithmetic.extended import LARGEST_FLOAT_EXPONENT, Numbers, exponent_of, scale_by_power_of_two
from bench.networks.initializers import Family
from bench.networks.seeds import over_seeds
from bench.networks.segments import LAYERS, Segment

Build = TypeVar("Build", bound=Callable[..., Any])
WEIGHTS, INPUT, READOUT, BATCH, PARTNER = range(5)  # what a seed's random numbers are for


class Networks(NamedTuple):
    """What a block of seeds has beside its layers."""

    keys: np.ndarray  # [seeds, 2]: the words of each seed's key, from which its layers are drawn
    inputs: np.ndarray  # [seeds, width], uniform on the sphere of radius √width
    readouts: np.ndarray  # [seeds, width], uniform on the unit sphere


def draw_networks(key: int, width: int, seeds: Iterable[int], dtype: str) -> Networks:
    """Keys, inputs and readouts, drawn on the host: it is little, and compiling it would take longer than a small sweep."""
    seeds = list(seeds)
    return Networks(
        keys=np.stack([_source(key, width, seed, WEIGHTS).generate_state(2, np.uint32) for seed in seeds]),
        inputs=np.stack([np.sqrt(width) * _directions(key, width, seed, INPUT)[0] for seed in seeds]).astype(dtype),
        readouts=np.stack([_directions(key, width, seed, READOUT)[0] for seed in seeds]).astype(dtype),
    )


def draw_batches(key: int, width: int, seeds: Iterable[int], count: int, dtype: str) -> np.ndarray:
    """[seeds, count, width]: more inputs, drawn as the network's is and independent of it."""
    return np.stack([np.sqrt(width) * _directions(key, width, seed, BATCH, count) for seed in seeds]).astype(dtype)


def draw_directions(key: int, width: int, seeds: Iterable[int]) -> np.ndarray:
    """[seeds, width], float64, uniform on the unit sphere: in which another input differs from the network's."""
    return np.concatenate([_directions(key, width, seed, PARTNER) for seed in seeds])


def draw_readouts(key: int, width: int, seeds: Iterable[int], count: int, dtype: str) -> np.ndarray:
    """[seeds, count, width]: rows uniform on the unit sphere, of which the first is the readout of :func:`draw_networks`."""
    return np.stack([_directions(key, width, seed, READOUT, count) for seed in seeds]).astype(dtype)


def _source(key: int, width: int, seed: int, purpose: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(key, spawn_key=(width, seed, purpose))


def _directions(key: int, width: int, seed: int, purpose: int, count: int = 1) -> np.ndarray:
    """[count, width], uniform on the unit sphere."""
    vectors = np.random.Generator(np.random.Philox(_source(key, width, seed, purpose))).standard_normal((count, width))
    return np.stack([vector / np.linalg.norm(vector) for vector in vectors])


def by_template(build: Build) -> Build:
    """Cache the program that a function builds for (mesh, family, …): one for all families that differ in their numbers.

    It takes the numbers after its other arguments; what is returned takes those others, and draws with the family's own.
    """
    cached: Any = cache(build)

    @wraps(build)
    def built(mesh: Mesh, family: Family, *arguments: Any, **options: Any) -> Callable[..., Any]:
        program = cached(mesh, family.template, *arguments, **options)
        return lambda *given: program(*given, *family.numbers)

    return cast(Build, built)


@by_template
def segment_program(
    mesh: Mesh, family: Family, width: int, dtype: str, *, biased: bool, layers: int = LAYERS
) -> Callable[[Array, Numbers], Segment]:
    """Compiles ``(keys [seeds, 2], index of the first layer) → Segment`` of so many; biases are zero unless ``biased``.

    Into a seed's key are folded 2l for the weights and 2l + 1 for the bias of layer l = 1, 2, …
    """

    def matrix(key: Array, *numbers: Array) -> Array:
        return family.draw(key, (width, width), jnp.dtype(dtype), *numbers)

    if family.decomposes and mesh.devices.flat[0].platform == "cpu":
        matrix = jax.custom_batching.sequential_vmap(matrix)

    def layer(key: Array, index: Array, *numbers: Array) -> Segment:
        weights = matrix(jax.random.fold_in(key, 2 * index), *numbers)
        exponent = jnp.zeros((), dtype)
        if family.any_size:
            exponent = exponent_of(jnp.max(jnp.abs(weights)))
            weights = scale_by_power_of_two(weights, jnp.minimum(-exponent, LARGEST_FLOAT_EXPONENT)[None])
        bias = jnp.zeros((width,), dtype)
        if biased:
            bias = family.bias(jax.random.fold_in(key, 2 * index + 1), (width,), jnp.dtype(dtype))
        return Segment(weights, exponent, bias)

    unmapped = (None,) * len(family.numbers)

    def draw(words: Array, first: Array, *numbers: Array) -> Segment:
        key = jax.random.wrap_key_data(words, impl="threefry2x32")
        indices = first + jnp.arange(layers, dtype=first.dtype)
        return jax.vmap(layer, in_axes=(None, 0, *unmapped))(key, indices, *numbers)

    return over_seeds(draw, mesh, in_axes=(0, None, *unmapped), out_axes=1, options=drawing_options(mesh))


def drawing_options(mesh: Mesh) -> dict[str, Any]:
    """What programs that draw are compiled with: on CPUs, LLVM's level 2.

    At level 3 it makes a copy of a random number's every loop for every case of the generator's shifts, which takes as long
    to compile as all the rest of a small sweep, and draws the same bits no faster.
    """
    return options_for(mesh.devices.flat[0].platform, level=2)
