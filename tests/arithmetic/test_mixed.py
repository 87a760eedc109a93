"""Policies of number formats: their words, powers of two beside short numbers, and a step's gradients under them."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

import bench
from bench.arithmetic import scaling
from bench.arithmetic.formats import FORMATS
from bench.arithmetic.mixed import Mixed
from bench.arithmetic.policy import Policy
from bench.arithmetic.scaling import BLOCK

KEYS = jax.random.split(jax.random.key(7), 3)
PARAMS = {"body": jax.random.normal(KEYS[0], (8, 8)) / 2, "head": jax.random.normal(KEYS[1], (8, 8)) / 2}
X = jax.random.normal(KEYS[2], (4, 8))
SHORT = ("float8_e4m3fn", "float8_e5m2", "float4_e2m1fn")
round_scaled = jax.jit(scaling.round_scaled, static_argnums=(1, 2, 3))


def loss(params: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    return jnp.sum(jnp.tanh(x @ params["body"]) @ params["head"])


def gradients(text: str, scale: float = 1.0) -> dict[str, np.ndarray]:
    mixed = Mixed(loss, Policy.parse(text))
    return jax.tree.map(np.asarray, mixed.unscaled(mixed.scaled(*mixed.forward(PARAMS, X), scale), scale))


@pytest.mark.parametrize(
    "text",
    [
        "float16",
        "float16:loss_scale=1024",
        "float16:master=bfloat16,loss_scale=dynamic",
        "float8_e4m3fn:gradients=float8_e5m2,scaling=tensor,others=bfloat16",
        "bfloat16:weights=float32",
    ],
)
def test_a_policy_is_written_as_it_is_read(text):
    assert str(Policy.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("float15", "one of float32, .*; did you mean float16"),
        ("float16:scale=2", "after the colon: weights, activations, gradients, master, loss_scale, scaling, others"),
        ("float16:loss_scale=-1", "loss_scale to be a number > 0, or dynamic"),
        ("float16:loss_scale=true", "loss_scale to be a number > 0, or dynamic"),
        ("float16:gradients=half", "gradients to be one of float32"),
        ("float16:scaling=row", "scaling to be one of none, tensor, mx"),
        ("float16:master=float16", "master to be one of float32, bfloat16"),
        ("float16:", "NAME or NAME:ARGUMENT=VALUE"),
    ],
)
def test_what_is_no_policy_is_refused_in_one_line(text, words):
    with pytest.raises(bench.SweepError, match=f"^formats: got '{text}', expected {words}") as error:
        Policy.parse(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", SHORT)
def test_blocks_are_those_of_the_specification(name):
    """In NumPy, with ml_dtypes: 2^(⌊log₂ max⌋ - ⌊log₂ largest⌋) for every 32, and what is too large is the largest."""
    rng = np.random.default_rng(0)
    given = (rng.standard_normal((4, 40)) * 2.0 ** rng.integers(-30, 30, (4, 40))).astype(np.float32)
    given[1, :BLOCK] = 0
    expected = np.zeros_like(given)
    largest = float(ml_dtypes.finfo(name).max)
    for start in range(0, 40, BLOCK):
        block = given[:, start : start + BLOCK]
        size = np.max(np.abs(block), axis=1, keepdims=True)
        scale = 2.0 ** (np.floor(np.log2(np.where(size, size, 1))) - np.floor(np.log2(largest)))
        scale = np.where(size > 0, scale, 1)
        rounded = np.clip(block / scale, -largest, largest).astype(name).astype(np.float32)
        expected[:, start : start + BLOCK] = rounded * scale
    np.testing.assert_array_equal(np.asarray(round_scaled(jnp.asarray(given), FORMATS[name], "mx")), expected)
    across = round_scaled(jnp.asarray(given.T), FORMATS[name], "mx", 0)
    np.testing.assert_array_equal(np.asarray(across).T, expected)


@pytest.mark.parametrize("name", SHORT)
def test_a_scale_of_the_whole_array_clips_nothing_and_follows_its_size(name):
    given = jnp.asarray(np.random.default_rng(1).standard_normal((4, 40)), jnp.float32)
    rounded = np.asarray(round_scaled(given, FORMATS[name], "tensor"))
    largest = np.abs(np.asarray(given)).argmax()
    error = np.abs(rounded - given).flat[largest] / np.abs(given).flat[largest]
    assert error <= 2.0 ** -(FORMATS[name].digits + 1)
    np.testing.assert_array_equal(np.asarray(round_scaled(given * 2.0**-50, FORMATS[name], "tensor")), rounded * 2.0**-50)


def test_one_format_throughout_is_that_of_rounded():
    got = bench.rounded(jax.grad(loss), "float16")(PARAMS, X)
    jax.tree.map(np.testing.assert_array_equal, gradients("float16"), jax.tree.map(np.asarray, got))


def test_a_loss_scale_saves_what_is_too_small_and_changes_nothing_else():
    """Of 8-bit gradients 2^-16 the size: their scale is a power of two, so that they are those of the loss itself."""

    def small(params: dict[str, jax.Array], x: jax.Array) -> jax.Array:
        return loss(params, x) * 2.0**-30

    mixed = Mixed(small, Policy.parse("float32:gradients=float8_e5m2"))
    forward = mixed.forward(PARAMS, X)
    lost, saved = (mixed.unscaled(mixed.scaled(*forward, scale), scale) for scale in (1.0, 2.0**30))
    assert not any(np.any(np.asarray(leaf)) for leaf in jax.tree.leaves(lost))
    usual = gradients("float32:gradients=float8_e5m2")
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(np.asarray(a), b * 2.0**-30), saved, usual)


def test_operands_of_products_alone_are_short_where_others_are_not():
    """Against the same step written out by hand, with a cast before every product."""
    policy = "float8_e4m3fn:gradients=float8_e5m2,others=float32"

    def short(array: jax.Array, name: str) -> np.ndarray:
        return (
            np.clip(np.asarray(array), *np.array([-1, 1]) * float(ml_dtypes.finfo(name).max)).astype(name).astype(np.float32)
        )

    x, body, head = (short(array, "float8_e4m3fn") for array in (X, PARAMS["body"], PARAMS["head"]))
    h = np.tanh(x @ body)
    back = short(jnp.ones((4, 8)), "float8_e5m2")
    delta = short(back @ head.T * (1 - h**2), "float8_e5m2")
    expected = {"body": x.T @ delta, "head": short(h, "float8_e4m3fn").T @ back}
    got = gradients(policy)
    for name, gradient in expected.items():
        np.testing.assert_allclose(got[name], gradient, rtol=0, atol=1e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("scaling", ["none", "tensor", "mx"])
def test_short_floats_are_rounded_as_float32_is(scaling):
    """Of numbers that float16 holds exactly, and whose scales it does not hold."""
    given = jnp.asarray(np.random.default_rng(2).integers(-99, 99, (2, 40)) * 2.0**-20, jnp.float16)
    wide = round_scaled(given.astype(jnp.float32), FORMATS["float8_e4m3fn"], scaling)
    got = round_scaled(given, FORMATS["float8_e4m3fn"], scaling)
    assert got.dtype == jnp.float16
    np.testing.assert_array_equal(np.asarray(got, np.float32), np.asarray(wide))
