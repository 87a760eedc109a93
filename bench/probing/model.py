"""A loss and its parameters as one program, traced once, whatever library wrote it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax.core import eval_jaxpr
from jax.extend.core import ClosedJaxpr

from bench.arithmetic.pullbacks import check_choice, check_pullbacks
from bench.arithmetic.unbounded import unbounded
from bench.probing.leaves import Leaves, arrays_of, floats_of
from bench.probing.needs import check_room_for
from bench.probing.taps import Dummies, dummies_of, run
from bench.probing.uses import Place, Uses, uses_of
from bench.settings.errors import SweepError

Key = TypeVar("Key")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Model:
    """A loss as a program of its parameters, its data and the arrays that it closes over."""

    parameters: Leaves
    data: list[Any]
    program: ClosedJaxpr

    @cached_property
    def uses(self) -> Uses:
        """Where the forward pass uses each parameter."""
        return uses_of(self.program, len(self.parameters.arrays))

    @cached_property
    def value_and_grad(self) -> Callable[..., Any]:
        """(parameters, dummies, data, what the loss closes over) → the loss, gradients and what is tapped, extended."""

        def loss(parameters: Sequence[Any], dummies: Dummies, data: Sequence[Any], consts: Sequence[Any]) -> Any:
            return run(ClosedJaxpr(self.program.jaxpr, consts), [*parameters, *data], dummies)[0]

        return unbounded(jax.value_and_grad(loss, argnums=(0, 1)), nonlinear="evaluate")  # trace has looked

    @cached_property
    def value(self) -> Callable[..., Any]:
        """(parameters, data, what the loss closes over) → the loss as it is, in its own floats."""
        return jax.jit(self.loss)

    @cached_property
    def made(self) -> dict[Any, Any]:
        """What :meth:`once` has made."""
        return {}

    def once(self, make: Callable[[Model, Key], Made], of: Key) -> Made:
        """``make(model, of)``, of the program whatever its numbers are: made at the first call."""
        if (make, of) not in self.made:
            self.made[make, of] = make(self, of)
        return self.made[make, of]

    def loss(self, parameters: Sequence[Any], data: Sequence[Any], consts: Sequence[Any]) -> Any:
        """The program as a function of all arrays that it has."""
        return eval_jaxpr(self.program.jaxpr, consts, *parameters, *data)[0]

    def again(self, parameters: Sequence[Any], data: Sequence[Any]) -> Model:
        """The same program with other numbers, and nothing to compile for it."""
        arrays = [jnp.asarray(array) for array in parameters]
        model = replace(self, parameters=self.parameters._replace(arrays=arrays), data=[*map(jnp.asarray, data)])
        model.__dict__.update({name: getattr(self, name) for name in ("uses", "value", "value_and_grad", "made")})
        return model

    def gradients(self, parameters: Sequence[Any] | None = None) -> tuple[Any, list[Any], dict[Place, Any]]:
        """The loss, its gradient by every parameter, and the sums that were tapped; for other parameters, if given."""
        given = (parameters or self.parameters.arrays, dummies_of(self.uses.products), self.data, self.program.consts)
        value, (gradients, sums) = self.value_and_grad(*given)
        return value, gradients, sums


def trace(loss: Callable[..., Any], params: Any, *args: Any, nonlinear: str = "refuse") -> Model:
    """The model. Raises SweepError for no floats to differentiate by, a loss that is not one number, and what it raises.

    nonlinear: what is done about a backward pass that is not linear in its cotangent.
    """
    check_choice(nonlinear)
    if not callable(loss):
        raise SweepError("loss", loss, "a function loss(params, *args) that returns a number")
    parameters, given = floats_of(params), arrays_of(args)
    if not parameters.arrays:
        raise SweepError("params", jax.tree.structure(params), "a pytree with at least one array of floats")

    def flat(floats: Sequence[Any], data: Sequence[Any]) -> Any:
        return loss(parameters.rebuild(floats), *given.rebuild(data))

    arrays = [jnp.asarray(array) for array in parameters.arrays]
    data = [array if isinstance(array, jax.Array) else jnp.asarray(array) for array in given.arrays]
    program, result = jax.make_jaxpr(flat, return_shape=True)(arrays, data)
    found = jax.tree.leaves(result)
    if jax.tree.structure(result) != jax.tree.structure(0) or found[0].shape or not _is_float(found[0].dtype):
        shapes = jax.tree.map(lambda each: f"{each.dtype}{list(each.shape)}", result)
        raise SweepError("loss", shapes, "one float, without a shape: take the mean, and return nothing beside it")
    check_room_for(program, arrays)
    if nonlinear == "refuse":
        check_pullbacks(program, unbounded)
    return Model(parameters._replace(arrays=arrays), data, program)


def _is_float(dtype: Any) -> bool:
    return bool(jnp.issubdtype(dtype, jnp.floating))
