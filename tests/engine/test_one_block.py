"""The derivative of one block, however it multiplies by its matrices."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from bench.arithmetic.number import Extended
from bench.arithmetic.unbounded import unbounded
from bench.engine.block_norms import triangle
from bench.engine.blocks import layers_of
from bench.engine.one_block import Layers, Setting, pull_back, run_block, run_watched
from bench.networks.architectures.architecture import Architecture
from bench.networks.blocks import Blocks

RNG = np.random.default_rng(0)
WIDTH = 40  # more than twice as many as vectors of a block that multiplies all three times
H, COTANGENT, W = (
    jnp.asarray(RNG.standard_normal(shape), jnp.float32) for shape in ((2, 3, WIDTH), (2, 3, WIDTH), (WIDTH, WIDTH))
)
W /= WIDTH**0.5
SCALE = jnp.float32(0.7)


def by_positions(h, weights, step):
    """Its product is within a loop."""

    def one(carry, x):
        return carry, step.phi(weights["W"](x[:, None])[:, 0])

    return h + jnp.moveaxis(lax.scan(one, 0, jnp.moveaxis(h, 1, 0))[1], 0, 1)


BLOCKS = {
    "once": lambda h, w, step: h + step.phi(w["W"](h)),
    "three times": lambda h, w, step: w["W"](w["W"](step.phi(w["W"](h)))),
    "twice": lambda h, w, step: step.phi(w["W"](h)) + w["W"](step.phi(w["W"](h))),
    "never": lambda h, _w, _step: 2 * h,
    "in a program of its own": lambda h, w, step: h + jax.jit(lambda h: step.phi(w["W"](h)))(h),
    "once here and once there": lambda h, w, step: w["W"](jax.jit(lambda h: step.phi(w["W"](h)))(h)),
    "example by example": lambda h, w, step: jax.vmap(lambda h: step.phi(w["W"](h[None])[0]))(h),
    "position by position": by_positions,
    "computed again": lambda h, w, step: jax.checkpoint(lambda h: step.phi(w["W"](h)))(h),
}


@pytest.mark.parametrize("formed", [False, True])
@pytest.mark.parametrize("name", BLOCKS)
def test_its_matrix_has_the_gradient_that_jax_gives_it(name, formed):
    architecture = Architecture(name, BLOCKS[name])
    layer = Layers({"W": W}, {"W": jnp.zeros(WIDTH)}, jnp.zeros_like(H), jnp.float32(1))

    def block(layer, state, watch=lambda _name, _h, product: product, scale=SCALE):
        return run_block(architecture, jnp.tanh, Setting({"W": scale}, None), jnp.float32(2), layer, state, watch)

    after, vectors = run_watched(block, layer, H)
    lower = {} if formed else {matrix: triangle(each) for matrix, each in vectors.items()}
    before, squares = pull_back(block, layer, H, COTANGENT, lower)

    def loss(h, matrix):
        return jnp.sum(COTANGENT * block(layer._replace(matrices={"W": matrix}), h, scale=jnp.float32(1)))

    expected_before, gradient = jax.grad(loss, argnums=(0, 1))(H, SCALE * W)
    np.testing.assert_allclose(before, expected_before, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(jnp.sqrt(squares["W"]), jnp.linalg.norm(gradient), rtol=1e-5)
    np.testing.assert_array_equal(after, block(layer, H))


def test_matrices_that_were_divided_by_a_power_of_two_are_multiplied_again():
    """As those of a user's own initializer are, whose entries may be of any size."""
    blocks = Blocks({"W": W[None]}, {"W": jnp.full(1, 7.0)}, {"W": jnp.zeros((1, WIDTH))}, jnp.zeros((1, *H.shape)))
    layers = layers_of(Architecture("any", BLOCKS["once"]), blocks, jnp.float32(1), jnp.float32(2))
    np.testing.assert_array_equal(layers.matrices["W"].to_float()[0], 128 * W)


@pytest.mark.parametrize("power", [400, -400])
@pytest.mark.parametrize("formed", [False, True])
def test_uses_of_one_matrix_may_be_of_any_size(formed, power):
    """Of h + s W (s W h), far beyond float32: the gradient grows as s."""
    architecture = Architecture("twice", lambda h, w, _step: h + w["W"](w["W"](h)))
    layer = Layers({"W": W}, {"W": jnp.zeros(WIDTH)}, jnp.zeros_like(H), jnp.float32(1))

    def squares(scale):
        block = partial(run_block, architecture, jnp.tanh, Setting({"W": scale}, None), jnp.float32(2))
        lower = {} if formed else {name: triangle(each) for name, each in run_watched(block, layer, H)[1].items()}
        return pull_back(block, layer, H, COTANGENT, lower)[1]["W"]

    near, far = (unbounded(squares)(Extended(jnp.float32(1), jnp.int32(at))).log10_abs() for at in (0, power))
    np.testing.assert_allclose(far - near, 2 * power * np.log10(2), atol=1e-4)
