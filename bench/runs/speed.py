"""How fast this device is, measured once by a small fixed part of the engine, and kept in the cache folder.

What a sweep costs is a sum over its multiply-adds and over the entries of its states (:mod:`bench.runs.estimate`). Here is
what one of each costs on all of the machine's devices together: entries in the engine's backward pass at a width that is all
entries, multiply-adds in bare products of the engine's shapes.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh

from bench.arithmetic.numerics import settled
from bench.engine.gradients import DEPTHS, LANES, backward_program, seeds_per_device
from bench.engine.lanes import lanes_at
from bench.networks.seeds import over_seeds, place, seed_mesh
from bench.networks.segments import LAYERS, Segment
from bench.runs.cache import cache_folder
from bench.runs.files import write_whole

NARROW, WIDE = 16, 128  # widths: of the pass, of the products
LASTS, MOST = 0.2, 200  # seconds that a program is repeated for at least, and how often at most: the shortest counts


class Speed(NamedTuple):
    """Seconds, on all devices together."""

    product: float  # of a multiply-add
    entry: float  # of an entry of a cotangent that goes through one layer
    tracing: float  # of a program, by Python alone: what compiling it takes grows with it


def speed_here(dtype: str) -> Speed:
    """What was measured on such devices before, else what is measured now, in about two seconds."""
    folder = cache_folder()
    path = None if folder is None else folder / _name(dtype)
    if path is not None and (known := _kept(path)) is not None:
        return known
    found = measured(dtype)
    if path is not None:
        write_whole(path, lambda temporary: temporary.write_text(json.dumps(found._asdict()) + "\n", encoding="utf-8"))
    return found


def measured(dtype: str) -> Speed:
    """Measure it now."""
    with settled(dtype):
        product = bare_product(WIDE, dtype)
        entry, tracing = backward_pass(NARROW, dtype)
        return Speed(product, max(entry - NARROW * product, entry / 10), tracing)


def all_devices(width: int) -> tuple[Mesh, int]:
    """The mesh, and how many seeds of that width go on it together."""
    per_device = seeds_per_device(width, jax.local_devices()[0].platform)
    size = per_device * len(jax.local_devices())
    return seed_mesh(size, per_device), size


def bare_product(width: int, dtype: str) -> float:
    """Seconds for a multiply-add of products in the engine's shapes."""
    mesh, size = all_devices(width)
    left, right = np.ones((size, LAYERS, DEPTHS * LANES, width), dtype), np.ones((size, LAYERS, width, width), dtype)
    given = place(mesh, (left, right), 0)
    program = over_seeds(partial(jnp.matmul, precision=lax.Precision.HIGHEST), mesh, in_axes=(0, 0), out_axes=0)
    return shortest(lambda: program(*given)) / (left.size * width)


def backward_pass(width: int, dtype: str) -> tuple[float, float]:
    """Seconds for an entry in one layer of the engine's backward pass, and those for which the program was traced."""
    mesh, size = all_devices(width)
    matrices = np.random.default_rng(0).standard_normal((LAYERS, size, width, width)) / np.sqrt(width)
    zeros = np.zeros((LAYERS, size, 1)), np.zeros((LAYERS, size, width))
    segment = Segment(matrices.astype(dtype), zeros[0][..., 0].astype(dtype), zeros[1].astype(dtype))
    given: tuple[Any, ...] = (
        place(mesh, segment, 1),
        place(mesh, np.ones((LAYERS, size, LANES, width), dtype), 1),
        place(mesh, np.ones((size, width), dtype), 0),
        place(mesh, lanes_at(np.ones(LANES), np.zeros(LANES), np.dtype(dtype))),
        place(mesh, np.ones((size, DEPTHS, LANES, width), dtype), 0),
        place(mesh, np.ones((size, DEPTHS, LANES), dtype), 0),
        place(mesh, np.full(DEPTHS, LAYERS, np.int32)),
        np.int32(0),
    )
    program: Any = backward_program(mesh)
    began = time.perf_counter()
    program.lower(*given)
    tracing = time.perf_counter() - began
    return shortest(lambda: program(*given)) / (size * DEPTHS * LANES * LAYERS * width), tracing


def shortest(call: Callable[[], Any]) -> float:
    """The shortest of some calls, after a first one that compiles."""
    jax.block_until_ready(call())
    found: list[float] = []
    while sum(found) < LASTS and len(found) < MOST:
        began = time.perf_counter()
        jax.block_until_ready(call())
        found.append(time.perf_counter() - began)
    return min(found)


def _name(dtype: str) -> str:
    devices = jax.local_devices()
    words = f"{len(devices)}-{devices[0].device_kind}-jaxlib-{version('jaxlib')}-{dtype}"
    return f"speed-{re.sub(r'[^A-Za-z0-9.]+', '-', words)}.json"


def _kept(path: Path) -> Speed | None:
    """What the file says; None where it is not one of these."""
    try:
        found = Speed(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return found if all(type(each) is float and 0 < each < math.inf for each in found) else None
