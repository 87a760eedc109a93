"""Rounded numbers are those of real conversions, and rounded programs those of programs in the short format."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from jax import lax

import bench
from bench.arithmetic.formats import FORMATS, round_to
from tests.arithmetic import formats_table

REAL = [name for name in FORMATS if name not in ("float32", "tf32")]


def numbers() -> np.ndarray:
    """Of all magnitudes, on ties, at the ends of formats and beyond them; normal in float32, since CPUs flush the rest."""
    random = np.random.default_rng(0)
    of_all_sizes = random.standard_normal(20_000) * 2.0 ** random.uniform(-40, 40, 20_000)
    ends = [
        float(getattr(ml_dtypes.finfo(name), end))
        for name in REAL
        for end in ("max", "smallest_normal", "smallest_subnormal")
    ]
    near = np.array([end * factor for end in ends for factor in (0.25, 0.5, 0.75, 1, 1.03125, 1.0625, 1.125, 1.5, 2)])
    ties = np.arange(2**12) / 2.0**6
    with np.errstate(over="ignore"):
        found = np.concatenate([of_all_sizes, near, -near, ties, [0.0, -0.0, np.inf, -np.inf, np.nan]]).astype(np.float32)
    return found[~(np.abs(found) < np.finfo(np.float32).tiny) | (found == 0)]


@pytest.mark.parametrize("name", REAL)
def test_numbers_are_those_of_a_real_conversion(name):
    given = numbers()
    with np.errstate(all="ignore"):
        expected = given.astype(name).astype(np.float32)
    got = np.asarray(round_to(jnp.asarray(given), FORMATS[name]))
    if name == "float4_e2m1fn":  # it has no infinity and no NaN
        given, expected, got = (each[np.isfinite(given)] for each in (given, expected, got))
    np.testing.assert_array_equal(got, expected)
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(expected)[number])


def everything(params: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    """A scan, a checkpoint, a branch, custom rules of differentiation and a loop, in whatever floats it is given.

    Without a logistic function and powers above 2, which the compiler makes of several primitives, each rounded.
    """

    def product(a: jax.Array, b: jax.Array) -> jax.Array:
        return lax.dot(a, b, preferred_element_type=jnp.float32).astype(x.dtype)

    def layer(h: jax.Array, kernel: jax.Array) -> tuple[jax.Array, None]:
        h = h + jax.checkpoint(lambda h, kernel: jnp.tanh(product(h, kernel)))(h, kernel)
        return lax.cond(h[0, 0] > 0, jax.nn.relu, jnp.sin, h), None

    h, _ = lax.scan(layer, x, params["layers"])
    limit = lax.stop_gradient(jnp.max(h))
    h = h * lax.while_loop(lambda c: c > 0.25, lambda c: 0.75 * c, limit)
    return jnp.max(product(jax.nn.log_softmax(h), params["head"]))


@pytest.mark.parametrize("name", [pytest.param("float16", marks=pytest.mark.thorough), "bfloat16"])
def test_a_program_is_the_one_that_computes_in_the_format(name):
    """Every bit of the loss and of its gradients; compiled without leave to skip a rounding."""
    keys = jax.random.split(jax.random.key(0), 3)
    params = {"layers": jax.random.normal(keys[0], (6, 8, 8)) / 2, "head": jax.random.normal(keys[1], (8, 8))}
    x = jax.random.normal(keys[2], (4, 8))
    function = jax.value_and_grad(everything)
    in_short = jax.tree.map(lambda array: array.astype(name), (params, x))
    real, got = (
        jax.jit(program, compiler_options={"xla_allow_excess_precision": False})(*arguments)
        for program, arguments in ((function, in_short), (bench.rounded(function, name), (params, x)))
    )
    assert all(np.any(np.asarray(leaf)) for leaf in jax.tree.leaves(got))
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(np.asarray(a), np.asarray(b, np.float32)), got, real)


def test_programs_in_float64_are_rounded_too():
    with jax.enable_x64(True):
        x = jnp.linspace(0.1, 3, 8)
        got = bench.rounded(lambda x: x * x, "float16")(x)
        assert got.dtype == jnp.float64
        np.testing.assert_array_equal(np.asarray(got), np.asarray(x.astype("float16") * x.astype("float16")))


def test_an_unknown_format_is_refused_in_one_line():
    with pytest.raises(bench.SweepError, match=r"^to: got 'half', expected one of float32, .*float4_e2m1fn$"):
        bench.rounded(everything, "half")


def test_the_table_of_the_page_is_that_of_the_formats():
    assert formats_table.PAGE.read_text() == formats_table.page()
