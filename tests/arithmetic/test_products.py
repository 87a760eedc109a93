"""Products of arrays with any axes, which few terms are added to one after the other and many by the primitive."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from bench.arithmetic.number import Extended
from bench.arithmetic.rules.products import FEW
from bench.arithmetic.unbounded import unbounded

# (shape of a, of b, ((contracted), (batch)))
PRODUCTS = {
    "vectors": ((3,), (3,), (((0,), (0,)), ((), ()))),
    "matrices": ((2, 3), (3, 4), (((1,), (0,)), ((), ()))),
    "transposed": ((3, 2), (4, 3), (((0,), (1,)), ((), ()))),
    "one term": ((5, 1), (1, 4), (((1,), (0,)), ((), ()))),
    "no term": ((5, 0), (0, 4), (((1,), (0,)), ((), ()))),
    "few terms": ((2, FEW), (FEW, 3), (((1,), (0,)), ((), ()))),
    "many terms": ((2, FEW + 1), (FEW + 1, 3), (((1,), (0,)), ((), ()))),
    "outer": ((2,), (3,), (((), ()), ((), ()))),
    "batch": ((5, 2, 3), (5, 3, 4), (((2,), (1,)), ((0,), (0,)))),
    "batches anywhere": ((2, 5, 3, 6), (3, 6, 4, 5), (((2,), (0,)), ((1, 3), (3, 1)))),
    "many free axes": ((2, 3, 4), (5, 6, 3), (((1,), (2,)), ((), ()))),
    "two contracted": ((2, 3, 2), (2, 3, 4), (((1, 2), (1, 0)), ((), ()))),
    "a batch alone": ((5, 3), (5, 3), (((1,), (1,)), ((0,), (0,)))),
}


def arrays(name):
    generator = np.random.default_rng(1)
    return [generator.standard_normal(shape).astype(np.float32) for shape in PRODUCTS[name][:2]]


@pytest.mark.parametrize("power", [0, 3000, -3000])
@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product_is_that_of_the_primitive_at_any_size(name, power):
    a, b = arrays(name)
    numbers = PRODUCTS[name][2]
    found = unbounded(lambda a, b: lax.dot_general(a, b, numbers))(Extended(a, np.full((1,) * a.ndim, power, np.int32)), b)
    with jax.enable_x64(True):
        expected = np.asarray(lax.dot_general(a.astype(float), b.astype(float), numbers))
    assert found.shape == expected.shape
    exact = np.asarray(found.mantissa, float) * 2.0 ** np.maximum(np.asarray(found.exponent, float) - power, -1000)
    np.testing.assert_allclose(exact, expected, rtol=0, atol=1e-6 * np.max(np.abs(expected), initial=0))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_products_of_shorter_floats_are_rounded_once(dtype):
    a, b = (jnp.asarray(array, dtype) for array in arrays("matrices"))
    found = unbounded(jnp.matmul)(a, b).to_float()
    np.testing.assert_array_equal(np.asarray(found, float), np.asarray(jnp.matmul(a, b), float))


def test_a_product_that_says_its_precision_has_it():
    a, b = arrays("matrices")

    def primitives(precision):
        return str(jax.make_jaxpr(unbounded(lambda a, b: jnp.matmul(a, b, precision=precision)))(a, b))

    assert "dot_general" in primitives("bfloat16")
    assert "dot_general" not in primitives("highest")


def test_an_infinite_entry_is_lost_in_no_sum():
    a, b = arrays("matrices")
    a[0, 0], b[1, 2] = np.inf, np.nan
    found, plain = unbounded(jnp.matmul)(a, b).to_float(), jnp.matmul(a, b)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(plain))
    np.testing.assert_array_equal(np.isinf(found), np.isinf(plain))


def test_floats_times_integers_are_floats():
    a, b = arrays("matrices")
    numbers, whole = PRODUCTS["matrices"][2], (10 * b).astype(np.int32)
    found = unbounded(lambda a, b: lax.dot_general(a, b, numbers, preferred_element_type=jnp.float32))(a, whole)
    np.testing.assert_allclose(found.to_float(), a @ whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("x", [[1.0, 2, -3], [0.0, 0], [-0.0, -0.0], []])
def test_the_sum_of_negated_numbers_has_the_sign_of_zero_that_adding_them_has(x):
    found = unbounded(lambda x: 1 / jnp.sum(-x))(jnp.array(x)).to_float()
    np.testing.assert_array_equal(found, np.inf)
