"""The gradient of a loss as a step of training in mixed precision computes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.source_info_util import user_context

from bench.arithmetic.formats import FORMATS, Format
from bench.arithmetic.interpret import Arithmetic, bind
from bench.arithmetic.number import at_least_float32
from bench.arithmetic.policy import Policy
from bench.arithmetic.rounding import CAST, Rounding, interpreted
from bench.arithmetic.rules import control
from bench.arithmetic.scaling import round_scaled

WHOLE = ("custom_jvp_call", "custom_vjp_call", "while")  # opened, they would lose their rules of differentiation


class Mixed:
    """A loss of parameters and other arguments under a policy: a forward pass, and a backward pass at any loss scale.

    The forward program is that of ``jax.vjp`` with its results rounded to the activations' format; the backward program is
    the function that this returns, with its results rounded to the gradients' format. What it begins with, the loss scale,
    is not rounded, as where the loss is a float32. What one pass hands to the other stays as the first has rounded it.

    taken: weights from the parameters that are kept; given: other arguments as the forward pass reads them; vjp: the step
    itself, not rounded; forth, back: what rounds its two passes.
    """

    def __init__(self, loss: Callable[..., Any], policy: Policy):
        self.policy = policy
        of_weights = Rounding(_own(policy, policy.weights), policy.scaling)
        kept = Rounding(FORMATS[policy.master])
        self.forth, self.back = (_pass(policy, own) for own in (policy.activations, policy.gradients))
        loss = loss if policy.others is None else interpreted(loss, Operands(policy))
        self.taken = jax.jit(partial(jax.tree.map, lambda array: of_weights.rounded(kept.rounded(array))))
        self.given = jax.jit(partial(jax.tree.map, self.forth.rounded))
        self.vjp = lambda weights, *rest: jax.vjp(lambda w: loss(w, *rest), weights)
        self._forward = interpreted(self.vjp, self.forth)
        self._backward = interpreted(lambda vjp, seed: vjp(seed)[0], self.back)
        self._unscale = jax.jit(
            lambda gradients, scale: jax.tree.map(lambda g: kept.rounded(_wide(g) / scale.astype(_wide(g).dtype)), gradients)
        )

    def forward(self, params: Any, *rest: Any) -> tuple[Any, Any]:
        """The loss, and what the backward pass needs."""
        return self._forward(self.taken(params), *self.given(rest))

    def scaled(self, value: Any, vjp: Any, scale: float) -> Any:
        """Gradients times the loss scale, as the backward pass leaves them."""
        return self._backward(vjp, jnp.asarray(scale, value.dtype))

    def unscaled(self, gradients: Any, scale: float) -> Any:
        """Divided by it, as the master weights get them."""
        return self._unscale(gradients, jnp.float32(scale))


def _wide(array: Any) -> Any:
    return array.astype(at_least_float32(array.dtype))


def _pass(policy: Policy, own: str) -> Rounding:
    """What rounds the results of one pass."""
    return Rounding(FORMATS[own], policy.scaling) if policy.others is None else Rounding(FORMATS[policy.others])


def _own(policy: Policy, name: str) -> Format:
    """A format as the policy has it: what is cast for products alone becomes the largest number, not infinite."""
    found = FORMATS[name]
    return found if policy.others is None else found._replace(beyond=found.largest)


class Operands(Arithmetic):
    """Plain floats, but operands of products are rounded, and so is what comes back to their results.

    Both are as 8-bit products have it: they take two short arrays and give floats. Products within a function that
    brings its own rule of differentiation, or within a while loop, stay as they are.
    """

    def __init__(self, policy: Policy):
        self.operand, self.result = (
            _caster(_own(policy, name), policy.scaling) for name in (policy.activations, policy.gradients)
        )

    def apply(self, equation: Any, values: list[Any]) -> list[Any]:
        """Products between casts; all else as it is."""
        name = equation.primitive.name
        if name in control.RULES and name not in WHOLE:
            return control.RULES[name](self, equation, *values)
        axes = _contracted(equation)
        if axes is None:
            return bind(equation, *values)
        with user_context(equation.source_info.traceback):  # so that the casts are found where the product is
            operands = [_forth(self.operand, value, axis) for value, axis in zip(values, axes, strict=True)]
            return [_back(self.result, result) for result in bind(equation, *operands)]

    def constant(self, array: Any) -> Any:
        """As it is."""
        return array

    def literal(self, array: np.ndarray) -> Any:
        """As it is."""
        return array


def _contracted(equation: Any) -> tuple[int, int] | None:
    """Along which axis each operand of a product of floats is summed over; None for all else."""
    name, parameters = equation.primitive.name, equation.params
    if not all(jnp.issubdtype(atom.aval.dtype, jnp.floating) for atom in equation.outvars):
        return None
    if name == "dot_general":
        (left, right), _ = parameters["dimension_numbers"]
        return (left[-1] if left else -1, right[-1] if right else -1)
    if name == "conv_general_dilated":
        numbers = parameters["dimension_numbers"]
        return numbers.lhs_spec[1], numbers.rhs_spec[1]
    return None


def _caster(to: Format, scaling: str) -> Callable[[Any, int], Any]:
    def cast(array: Any, axis: int) -> Any:
        return round_scaled(array, to, scaling, axis)

    cast.__name__ = CAST
    return jax.jit(cast, static_argnums=1)


@partial(jax.custom_vjp, nondiff_argnums=(0, 2))
def _forth(cast: Callable[[Any, int], Any], array: Any, axis: int) -> Any:
    """Rounded on the way forth; what comes back passes."""
    return cast(array, axis)


_forth.defvjp(lambda cast, array, axis: (cast(array, axis), None), lambda _cast, _axis, _, cotangent: (cotangent,))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _back(cast: Callable[[Any, int], Any], array: Any) -> Any:
    """Passed on the way forth; what comes back is rounded."""
    del cast
    return array


_back.defvjp(lambda _, array: (array, None), lambda cast, _, cotangent: (cast(cotangent, -1),))
