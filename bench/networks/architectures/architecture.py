"""What an architecture is: one block as a plain JAX function, and the matrices that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from jax import Array, lax


def dense(matrix: Array, h: Array) -> Array:
    """W h for every example and position: [out, in] and [batch, length, in] → [batch, length, out]."""
    return lax.dot_general(h, matrix, (((2,), (1,)), ((), ())))


class Trained(NamedTuple):
    """What training moves beside matrices, such as a gain: a vector for each block."""

    start: float  # what all of it is when training begins
    shape: tuple[int, ...] = (1,)  # of one: a number; to the block it is [1, 1, …]


class Step(NamedTuple):
    """Where a block stands, and what it is given beside its state and matrices."""

    layer: Array  # l = 1 … L-1
    depth: Array  # L; a block that looks at it is run anew for every depth
    phi: Callable[[Array], Array]  # the sweep's activation, element by element
    input: Array  # x_l [batch, length, width], for blocks that read an input at every step; else zeros
    # by name what training moves, [1, 1, width] or [1, 1, 1]; Python's numbers, at their start, where nothing is trained
    trained: Mapping[str, Array | float] = MappingProxyType({})


Weights = Mapping[str, Callable[[Array], Array]]  # by name: h → W h + b
Shapes = Mapping[str, tuple[int, int]]  # by name: (out, in)


def same(state: Array) -> Array:
    """The state itself."""
    return state


@dataclass(frozen=True)
class Architecture:
    """A network of depth L: L - 1 blocks, each of which takes the place of one hidden layer, and the readout.

        h_0 = x,  h_l = block(h_{l-1}, W_l, step),  y = u · read(h_{L-1}) of the first example's last position

    ``block``: (state, weights, step) → next state, any pytree of arrays [batch, length, width], of which nothing changes
    its shape. It multiplies by its matrices through ``weights[name](h)``, so that norms of their gradients are known
    without any gradient being stored.
    ``shapes``: width → the shapes of a block's matrices; all are drawn by the sweep's initializer and times its scale.
    ``factors``: L → what a matrix is multiplied by at initialization beside the scheme and the scale, where it is not 1.
    ``radii``: by name, the spectral radius that a matrix has at scale 1, whatever the scheme draws.
    ``start``: h_0 [batch, length, width] → the first state; the first array of a state is h_l.
    ``read``: h_{L-1} → what the readout sees, such as its normalization.
    ``trained``: width → what training moves beside the matrices, by name: ``step.trained[name]``.
    ``shared``: every block has the matrices of the first one, as a recurrent network's steps do.
    ``by_depth``: ``factors`` or the block look at L, so that depths share no prefix.
    ``driven``: the block looks at ``step.input``.
    ``check``: (width, batch, length) → ("widths", "batch" or "length", its value, what is wanted), where they do not do.
    """

    name: str
    block: Callable[[Any, Weights, Step], Any]
    shapes: Callable[[int], Shapes] = lambda width: {"W": (width, width)}
    factors: Callable[[int], Mapping[str, float]] = lambda _depth: {}
    radii: Mapping[str, float] = field(default_factory=dict, hash=False)
    trained: Callable[[int], Mapping[str, Trained]] = lambda _width: {}
    start: Callable[[Array], Any] = same
    read: Callable[[Array], Array] = same
    shared: bool = False
    by_depth: bool = False
    driven: bool = False
    check: Callable[[int, int, int], tuple[str, Any, str] | None] = lambda _width, _batch, _length: None

    def begun(self, width: int) -> dict[str, float]:
        """``step.trained`` where nothing is trained, as in a sweep."""
        return {name: each.start for name, each in self.trained(width).items()}
