"""Norms of gradients of several examples, which are never formed, against float64."""

import jax
import numpy as np
import pytest

from bench.arithmetic.number import ZERO, Extended
from bench.engine.block_norms import WINDOW, by_layer, root, total, triangle, triangles

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
    error = np.linalg.norm(a.astype(float).T @ np.asarray(jax.jit(triangle)(b), float)) - np.linalg.norm(formed)
    rounded = np.finfo(np.float32).eps * np.sum(
        np.linalg.norm(a.astype(float), axis=1) * np.linalg.norm(b.astype(float), axis=1)
    )
    assert abs(error) <= 8 * rounded


def test_a_triangle_has_the_products_of_its_vectors():
    b = vectors("any", 5)[1]
    lower = np.asarray(triangle(b))
    np.testing.assert_allclose(lower @ lower.T, b @ b.T, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.triu(lower, 1), 0, atol=1e-5)


def test_triangles_have_their_layers_exponents():
    """And none where all vectors are zero."""
    b = vectors("any", 3)[1]
    found = triangles(Extended(np.stack([b, b, 0 * b]), np.array([300, -1000, 0], np.int32)[:, None, None]))
    lower, exponent = np.asarray(found.mantissa, float), np.asarray(found.exponent)
    for layer, shift in ((0, 300), (1, -1000)):
        np.testing.assert_allclose(lower[layer] * 2.0 ** (exponent[layer] - shift), triangle(b), rtol=1e-6, atol=1e-6)
    assert exponent.shape == (3, 1, 1)
    assert not lower[2].any()
    assert exponent[2] == ZERO


@pytest.mark.parametrize("exponent", [0, 1, -7, 2001, -2001])
def test_a_root_halves_the_exponent(exponent):
    found = root(Extended(np.float32([3.0]), np.array([exponent], np.int32)))
    log2 = np.log2(np.asarray(found.mantissa, float)) + np.asarray(found.exponent)
    np.testing.assert_allclose(log2, (np.log2(3) + exponent) / 2, rtol=1e-6)


def test_the_root_of_zero_is_zero():
    found = root(Extended(np.zeros(1, np.float32), np.array([ZERO], np.int32)))
    assert found.mantissa == 0
    assert found.exponent == ZERO


@pytest.mark.parametrize("length", [1, WINDOW, WINDOW + 1, 3 * WINDOW - 1, 1000])
def test_a_sum_is_of_all_entries_whatever_their_number(length):
    array = np.arange(1.0, 2 * length + 1).reshape(2, length)
    np.testing.assert_array_equal(total(array), array.sum(axis=-1))


def test_several_exponents_of_a_layer_become_one():
    number = by_layer(Extended(np.ones((2, 3), np.float32), np.array([[0, 1, -200], [4, 4, 4]], np.int32)))
    np.testing.assert_array_equal(number.exponent, [1, 4])
    np.testing.assert_array_equal(number.mantissa, [[0.5, 1, 0], [1, 1, 1]])
