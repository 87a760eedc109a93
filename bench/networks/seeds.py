"""The one axis that is spread over devices: everything is a batch over seeds, and seeds never meet."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

SEEDS = "seeds"  # the mesh axis
RUN_AHEAD = 8  # results in flight: enough to keep devices busy, small beside what a segment holds
Label = TypeVar("Label")


def seed_mesh(seeds: int, per_device: int = 1) -> Mesh:
    """All local devices in one row, or as many as ``seeds`` keeps busy."""
    devices = jax.local_devices()
    return Mesh(np.array(devices[: -(-seeds // per_device)]), (SEEDS,))


def shapes_are_fixed() -> bool:
    """Whether as many networks go together whatever the run: on CPUs, where their bits depend on it."""
    return jax.local_devices()[0].platform == "cpu"


def at_once(count: int, most: int) -> int:
    """How many of ``count`` networks a device computes at a time, where ``most`` fit.

    Where shapes are fixed, always as many, padded if need be; elsewhere in as few equal parts as fit.
    """
    if shapes_are_fixed():
        return most
    devices = len(jax.local_devices())
    parts = math.ceil(count / (most * devices))
    return math.ceil(count / (parts * devices))


def place(mesh: Mesh, value: Any, axis: int | None = None) -> Any:
    """``value`` (an array or a tree) on the devices of the mesh, split along ``axis``, which counts seeds, or whole."""
    spec = PartitionSpec() if axis is None else PartitionSpec(*[None] * axis, SEEDS)
    return jax.device_put(value, NamedSharding(mesh, spec))


def over_seeds(
    function: Callable[..., Any],
    mesh: Mesh,
    in_axes: tuple[int | None, ...],
    out_axes: tuple[int, ...] | int,
    donate: tuple[int, ...] = (),
    options: Mapping[str, int] | None = None,
) -> Callable[..., Any]:
    """jit(shard_map(vmap(function))): a batch over seeds, split over the devices of the mesh, without communication.

    in_axes, out_axes: for every argument and result, the axis of its arrays that counts seeds; None where there is none;
    donate: the numbers of the arguments whose memory the results may take; options: the compiler's.
    """

    def spec(axis: int | None) -> PartitionSpec:
        return PartitionSpec() if axis is None else PartitionSpec(*[None] * axis, SEEDS)

    return jax.jit(
        jax.shard_map(
            jax.vmap(function, in_axes=in_axes, out_axes=out_axes),
            mesh=mesh,
            in_specs=tuple(map(spec, in_axes)),
            out_specs=jax.tree.map(spec, out_axes),
            check_vma=False,
        ),
        donate_argnums=donate,
        compiler_options=dict(options) if options else None,
    )


def fetch_behind(dispatched: Iterable[tuple[Label, Any]]) -> Iterator[tuple[Label, Any]]:
    """The labelled results as NumPy arrays, in order, each asked for only once RUN_AHEAD later ones are under way."""
    pending: deque[tuple[Label, Any]] = deque()
    for item in dispatched:
        pending.append(item)
        if len(pending) > RUN_AHEAD:
            label, result = pending.popleft()
            yield label, jax.device_get(result)
    for label, result in pending:
        yield label, jax.device_get(result)
