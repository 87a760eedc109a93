"""Parameters as any library keeps them: which leaves of a tree are differentiated, and what each is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

HELD = ("value", "raw_value")  # what a library puts between a parameter's name and its array


class Leaves(NamedTuple):
    """The arrays of a tree that are wanted, what they are called, and how the tree is made of them again."""

    arrays: list[Any]
    paths: list[tuple[Any, ...]]
    rebuild: Callable[[Sequence[Any]], Any]


def floats_of(tree: Any) -> Leaves:
    """Arrays of real floats; whatever else the tree holds (counts, keys, functions, numbers of Python) stays as it is."""
    return _leaves(tree, lambda leaf: _is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.floating))


def arrays_of(tree: Any) -> Leaves:
    """Arrays of any kind."""
    return _leaves(tree, _is_array)


def name_of(path: Sequence[Any]) -> str:
    """A key path as one reads it: ``encoder.blocks[10].kernel``."""
    words = ""
    for key in path[:-1] if path and str(getattr(path[-1], "name", "")) in HELD else path:
        part = next((getattr(key, field) for field in ("key", "name", "idx") if hasattr(key, field)), key)
        words += f"[{part}]" if isinstance(part, int) else f".{part}"
    return words.lstrip(".") or "params"


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray)


def _leaves(tree: Any, wanted: Callable[[Any], bool]) -> Leaves:
    named, structure = jax.tree_util.tree_flatten_with_path(tree)
    leaves = [leaf for _, leaf in named]
    places = [i for i, leaf in enumerate(leaves) if wanted(leaf)]

    def rebuild(arrays: Sequence[Any]) -> Any:
        replaced = dict(zip(places, arrays, strict=True))
        return jax.tree.unflatten(structure, [replaced.get(i, leaf) for i, leaf in enumerate(leaves)])

    return Leaves([leaves[i] for i in places], [named[i][0] for i in places], rebuild)
