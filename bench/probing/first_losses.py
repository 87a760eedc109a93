"""The first equations of a step of training that lose too much in a number format, each with its source line and layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from bench.arithmetic.mixed import Mixed
from bench.arithmetic.watched import Event, Watched
from bench.probing.leaves import name_of
from bench.probing.measure import percent
from bench.probing.model import Model
from bench.probing.uses import Uses, uses_of


@dataclass(frozen=True)
class First:
    """An equation that loses too much. share: of its entries; path: the parameter that was used last, or is used next."""

    primitive: str
    source: str  # file:line (function)
    share: float
    backward: bool
    path: str

    def __str__(self) -> str:
        where = f"{'backward' if self.backward else 'forward'}, {self.path}" if self.path else "forward"
        return f"{percent(self.share)} of a {self.primitive} at {self.source} ({where})"


class Firsts(NamedTuple):
    """The first that is beyond the largest number, and the first that loses more than a share, of either pass."""

    beyond: First | None
    lost_forward: First | None
    lost_backward: First | None


class FirstLosses:
    """Forward and backward pass as one program, run equation by equation: traced once, for any numbers of the model."""

    def __init__(self, model: Model, mixed: Mixed):
        self.mixed = mixed
        parameters, rest, seed = self._given(model, 1.0)
        shapes = jax.tree.map(jax.typeof, (parameters, rest))
        self.before = len(jax.make_jaxpr(mixed.vjp)(shapes[0], *shapes[1]).jaxpr.eqns)
        step = jax.make_jaxpr(lambda given, rest, seed: _step(mixed, given, rest, seed))(*shapes, seed)
        self.watched = Watched(step, lambda i: mixed.forth if i < self.before else mixed.back)
        self.uses = uses_of(step, len(parameters))

    def __call__(self, model: Model, scale: float, share: float) -> Firsts:
        """The first losses at a loss scale. share: of an equation's entries that may be lost.

        An equation of the forward pass belongs to the parameter that was used last before it; one of the backward pass to
        the one whose gradient it is, or that the cotangent comes to next.
        """
        events = self.watched(jax.tree.leaves(self._given(model, scale)))
        found = [(event, event.place[0] >= self.before) for event in events]

        def first(kind: str, limit: float, passes: Sequence[bool]) -> First | None:
            wrong = ((event, back) for event, back in found if back in passes and getattr(event, kind) > limit)
            event, back = next(wrong, (None, False))
            if event is None:
                return None
            path = _path(model, self.uses, event, self.before, backward=back)
            return First(event.primitive, event.source, getattr(event, kind), back, path)

        return Firsts(first("beyond", 0, (False, True)), first("lost", share, (False,)), first("lost", share, (True,)))

    def _given(self, model: Model, scale: float) -> tuple[list[Any], Any, Any]:
        """Weights and other arguments as the policy has them, and the loss scale."""
        parameters = self.mixed.taken(list(model.parameters.arrays))
        rest = self.mixed.given((model.data, model.program.consts))
        return parameters, rest, jnp.asarray(scale, model.program.out_avals[0].dtype)


def _step(mixed: Mixed, parameters: Any, rest: Any, seed: Any) -> Any:
    value, vjp = mixed.vjp(parameters, *rest)
    return value, vjp(seed)


def _path(model: Model, uses: Uses, event: Event, before: int, *, backward: bool) -> str:
    """The parameter of the nearest product: before it where the pass is forward, after it where it is backward."""
    products = [(place, product) for place, product in sorted(uses.products.items()) if product.parameters]
    if backward:
        near = [each for each in products if each[0] >= event.static] or products[:1]
    else:
        near = [each for each in products if each[0] <= event.static and each[0][0] < before][::-1]
    if not near:
        return ""
    place, product = near[0]
    inside = len(product.scans) == len(event.steps) and place[0] == event.static[0]
    return " ".join(_names(model, uses, product.parameters, event.steps if inside else ()))


def _names(model: Model, uses: Uses, parameters: Sequence[int], steps: tuple[int, ...]) -> Iterator[str]:
    for number in parameters:
        name = name_of(model.parameters.paths[number])
        yield f"{name}[{steps[0]}]" if steps and number in uses.stacked else name
