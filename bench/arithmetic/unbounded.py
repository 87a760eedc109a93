"""Any JAX function, in floats whose exponent never ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial, wraps
from typing import Any

import jax
import jax.numpy as jnp

from bench.arithmetic.interpret import Context
from bench.arithmetic.number import Extended
from bench.arithmetic.pieces import Program
from bench.arithmetic.pullbacks import check_choice, check_pullbacks, differentiated
from bench.arithmetic.rolled import rolled
from bench.arithmetic.rules import control, functions, products, structure, sums
from bench.arithmetic.short import in_own_dtypes, widened
from bench.arithmetic.values import Bare, Scaled

RULES = structure.RULES | sums.RULES | products.RULES | functions.RULES | control.RULES
OPENED = frozenset([*control.RULES, "convert_element_type", "iota"])
IN_RANGE = frozenset(  # exact within a float's range at their place
    name
    for line in (
        "acos acosh atan2 cos cosh bessel_i0e bessel_i1e digamma erfc igamma igammac lgamma polygamma random_gamma",
        "regularized_incomplete_beta zeta cumlogsumexp nextafter",
        "ceil floor round rem bitcast_convert_type complex conj fft imag real",
        "cholesky custom_linear_solve eig eigh hessenberg householder_product lu qr schur svd",
        "triangular_solve tridiagonal_solve empty2 random_bits random_unwrap random_wrap",
    )
    for name in line.split()
)


def unbounded(function: Callable[..., Any], *, strict: bool = False, nonlinear: str = "refuse") -> Callable[..., Any]:
    """``function`` as it would be if floats had no largest and no smallest magnitude.

    The result has the same arguments, any pytrees of arrays, and returns the same tree with an :class:`Extended` in the
    place of every array of floats. It is an ordinary JAX function, compiled when called: jit it, vmap it, call it
    in a scan. Arguments may hold :class:`Extended` numbers.

        gradients = bench.unbounded(jax.grad(loss))(params, batch)
        jax.tree.map(lambda g: g.log10_norm(), gradients, is_leaf=lambda g: isinstance(g, Extended))

    The program that JAX traces is interpreted, one equation after another, with a power of two kept beside every array of
    floats. Mantissas are computed by the primitives themselves, in their own dtype; so nothing is rounded that plain floats
    would not round. strict: raise UnknownPrimitiveError for a primitive that is computed in plain floats without being
    listed as such, instead of warning once.

    nonlinear: a ``custom_vjp`` whose backward pass is not linear in its cotangent (it clips, takes signs) has no gradient.
    In ``jax.grad(f)``, ``value_and_grad``, ``jacrev`` and ``jit`` of them it is refused by name (:class:`bench.SweepError`),
    or run as it stands with ``"evaluate"``. In any other function it is run as it stands: JAX does not tell of it.
    """
    check_choice(nonlinear)
    context = Context(RULES, frozenset(control.RULES), OPENED, IN_RANGE, strict)
    traced: dict[Any, tuple[Program, Any, Any]] = {}

    @wraps(function)
    def in_extended_numbers(*arguments: Any, **keywords: Any) -> Any:
        flat, tree = jax.tree.flatten((arguments, keywords))
        if _holds_extended(tree):  # asking every leaf takes longer than flattening
            flat, tree = jax.tree.flatten((arguments, keywords), is_leaf=lambda leaf: isinstance(leaf, Extended))
        values = [value_of(leaf) for leaf in flat]
        shapes = [shape_of(leaf) for leaf in flat]
        key = tree, tuple(shapes)
        if key not in traced:
            arguments, keywords = jax.tree.unflatten(tree, shapes)
            program, results = jax.make_jaxpr(function, return_shape=True)(*arguments, **keywords)
            if nonlinear == "refuse":
                _refuse_nonlinear(function, arguments, keywords)
            traced[key] = Program(context, rolled(program)), program.jaxpr.outvars, jax.tree.structure(results)
        program, atoms, results = traced[key]
        return jax.tree.unflatten(results, in_own_dtypes(atoms, program(values)))

    return in_extended_numbers


@lru_cache(maxsize=128)
def _holds_extended(tree: Any) -> bool:
    kind = tree.node_data()
    return kind is not None and (kind[0] is Extended or any(map(_holds_extended, tree.children())))


def _refuse_nonlinear(function: Any, arguments: Any, keywords: Any) -> None:
    if (inner := differentiated(function)) is None:
        return
    try:
        program = jax.make_jaxpr(inner)(*arguments, **keywords)
    except Exception:  # what is differentiated takes other arguments
        return
    check_pullbacks(program, partial(unbounded, nonlinear="evaluate"))


def shape_of(leaf: Any) -> Any:
    """What the function sees of an argument."""
    leaf = leaf.mantissa if isinstance(leaf, Extended) else leaf
    return leaf.aval if isinstance(leaf, jax.Array) else jax.typeof(leaf if hasattr(leaf, "dtype") else jnp.asarray(leaf))


def value_of(leaf: Any) -> Any:
    """An argument as the interpreter takes it."""
    if isinstance(leaf, Extended):
        return Scaled(widened(leaf.mantissa), leaf.exponent)
    leaf = jnp.asarray(leaf) if not hasattr(leaf, "dtype") else leaf
    if not _is_float(leaf.dtype):
        return leaf
    return Bare(widened(leaf))


_is_float = lru_cache(partial(jnp.issubdtype, arg2=jnp.floating))
