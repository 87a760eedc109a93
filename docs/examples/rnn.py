"""A recurrent network that is to remember its first input for 500 steps.

``depthscale probe rnn:make``, then ``rnn:mended``. What comes back from the loss is smaller at every step, so that the
gradient is that of the last steps alone, of which it looks healthy.
"""

import jax
import jax.numpy as jnp

STEPS, WIDTH, BATCH = 500, 32, 16


def make(key):
    """Tanh, and a matrix of spectral radius 0.9."""
    return _model(key, rate=1.0)


def mended(key):
    """Leaky units, which remember for as many steps as 1/rate (Jaeger 2007)."""
    return _model(key, rate=1 / STEPS)


def _model(key, rate):
    keys = jax.random.split(key, 5)
    params = {
        "recurrent": 0.9 * jax.random.normal(keys[0], (WIDTH, WIDTH)) / WIDTH**0.5,
        "input": jax.random.normal(keys[1], (1, WIDTH)),
        "readout": jax.random.normal(keys[2], (WIDTH, 1)) / WIDTH**0.5,
    }
    first = jax.random.normal(keys[3], (BATCH, 1))
    inputs = (jax.random.normal(keys[4], (STEPS, BATCH, 1)) / 4).at[0].set(first)

    def loss(params, inputs):
        def step(h, x):
            new = jnp.tanh(h @ params["recurrent"] + x @ params["input"])
            return (1 - rate) * h + rate * new, None

        last, _ = jax.lax.scan(step, jnp.zeros((BATCH, WIDTH)), inputs)
        return jnp.mean((last @ params["readout"] - inputs[0]) ** 2)

    return loss, params, (inputs,)
