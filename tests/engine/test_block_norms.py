"""Norms of gradients of several examples, which are never formed, against float64."""

import jax
import numpy as np
import pytest

from bench.arithmetic.number import Extended
from bench.engine.block_norms import by_layer, norm_of_product, products_norms, triangle

RNG = np.random.default_rng(0)
ALIKE = 1e-4  # how far vectors are apart that are nearly parallel


def vectors(kind, count, width=16):
    """Of float32, and cotangents that go with them."""
    b, a = (RNG.standard_normal((count, width)) for _ in range(2))
    if kind == "nearly parallel":  # as examples are whose ranks have collapsed, with cotangents that cancel
        b, a = b[:1] + ALIKE * b, a - a.mean(axis=0)
    if kind == "of all sizes":
        b, a = b * 10.0 ** np.linspace(0, -30, count)[:, None], a * 10.0 ** np.linspace(-30, 0, count)[:, None]
    if kind == "repeated":
        b[1:] = b[0]
    if kind == "zero":
        b[1:] = 0
    return a.astype(np.float32), b.astype(np.float32)


@pytest.mark.parametrize("count", [2, 5, 8, 20])
@pytest.mark.parametrize("kind", ["any", "nearly parallel", "of all sizes", "repeated", "zero"])
def test_a_gradients_norm_is_as_exact_as_if_it_were_formed(kind, count):
    a, b = vectors(kind, count)
    formed = a.astype(float).T @ b.astype(float)
    error = float(jax.jit(norm_of_product)(a, b)) - np.linalg.norm(formed)
    rounded = np.finfo(np.float32).eps * np.sum(
        np.linalg.norm(a.astype(float), axis=1) * np.linalg.norm(b.astype(float), axis=1)
    )
    assert abs(error) <= 8 * rounded


def test_a_triangle_has_the_products_of_its_vectors():
    b = vectors("any", 5)[1]
    lower = np.asarray(triangle(b))
    np.testing.assert_allclose(lower @ lower.T, b @ b.T, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.triu(lower, 1), 0, atol=1e-5)


def test_uses_of_one_matrix_add_up_before_their_norm_is_taken():
    """Layer by layer, with exponents of their own."""
    (a, b), (c, d) = (vectors("any", 3) for _ in range(2))

    def number(array, exponent):
        return Extended(np.stack([array, array])[:, None], np.array(exponent, np.int32).reshape(2, 1, 1, 1))

    found = products_norms([(number(a, [300, 0]), number(b, [0, 0])), (number(c, [298, -500]), number(d, [1, 0]))])
    expected = [np.linalg.norm(a.T @ b + c.T @ d / 2), np.linalg.norm(a.T @ b)]
    log2 = np.log2(np.asarray(found.mantissa)) + np.asarray(found.exponent)
    np.testing.assert_allclose(log2 - [300, 0], np.log2(expected), atol=1e-5)


def test_several_exponents_of_a_layer_become_one():
    number = by_layer(Extended(np.ones((2, 3), np.float32), np.array([[0, 1, -200], [4, 4, 4]], np.int32)))
    np.testing.assert_array_equal(number.exponent, [1, 4])
    np.testing.assert_array_equal(number.mantissa, [[0.5, 1, 0], [1, 1, 1]])
