"""A recurrent network that is to remember its first input for 500 steps.

``depthscale probe docs.examples.rnn:make``, then ``:mended``. What comes back from the loss is smaller at every step, so
that the gradient is that of the last steps alone, of which it looks healthy.
"""

import jax
import jax.numpy as jnp
import numpy as np

STEPS, WIDTH, BATCH, NOISE = 500, 32, 16, 1 / 128


def make(key):
    """Tanh, and a matrix of spectral radius 0.9."""
    return _model(key, rate=1.0)


def mended(key):
    """Leaky units, which remember for as many steps as 1/rate (Jaeger 2007)."""
    return _model(key, rate=1 / STEPS)


def _model(key, rate):
    draw = np.random.default_rng(np.asarray(jax.random.key_data(key))).standard_normal  # at once, where JAX compiles
    params = {
        "recurrent": jnp.float32(0.9 * draw((WIDTH, WIDTH)) / WIDTH**0.5),
        "input": jnp.float32(draw((1, WIDTH))),
        "readout": jnp.float32(draw((WIDTH, 1)) / WIDTH**0.5),
    }
    inputs = NOISE * draw((STEPS, BATCH, 1))
    inputs[0] /= NOISE

    def loss(params, inputs):
        def step(h, x):
            new = jnp.tanh(h @ params["recurrent"] + x @ params["input"])
            return (1 - rate) * h + rate * new, None

        last, _ = jax.lax.scan(step, jnp.zeros((BATCH, WIDTH)), inputs)
        return jnp.mean((last @ params["readout"] - inputs[0]) ** 2)

    return loss, params, (jnp.float32(inputs),)
