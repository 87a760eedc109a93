"""A transformer that computes in float16 without scaling its loss.

``depthscale probe docs.examples.transformer:make``, then ``:mended``. Each of its batches is a share of one of 2^22 tokens,
as where gradients are accumulated over devices and steps: what comes back to a token is divided by their number.
"""

import jax
import jax.numpy as jnp
import numpy as np

BLOCKS, WIDTH, HEADS, TOKENS, BATCH, WORDS, ALL_TOKENS = 8, 16, 2, 8, 4, 32, 2**22


def make(key):
    """The loss as it is."""
    return _model(key, loss_scale=1.0)


def mended(key):
    """The loss times 2^16, by which gradients are then to be divided in float32 (Micikevicius 2018)."""
    return _model(key, loss_scale=2.0**16)


def _model(key, loss_scale):
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))  # draws at once, where JAX compiles

    def matrix(inputs, outputs):
        return jnp.float32(rng.standard_normal((inputs, outputs)) / inputs**0.5)

    shapes = {"qkv": (WIDTH, 3 * WIDTH), "out": (WIDTH, WIDTH), "up": (WIDTH, 4 * WIDTH), "down": (4 * WIDTH, WIDTH)}
    params = {
        "unembed": matrix(WIDTH, WORDS),
        "embed": matrix(WORDS, WIDTH) * WORDS**0.5,
        "blocks": {name: jnp.stack([matrix(*shape) for _ in range(BLOCKS)]) for name, shape in shapes.items()},
    }
    tokens = jnp.asarray(rng.integers(0, WORDS, (BATCH, TOKENS)))

    def loss(params, tokens):
        params = jax.tree.map(lambda array: array.astype(jnp.float16), params)
        h = params["embed"][tokens]

        def block(h, weights):
            q, k, v = jnp.split((_normalized(h) @ weights["qkv"]).reshape(BATCH, TOKENS, HEADS, -1), 3, axis=-1)
            h = h + _attention(q, k, v).reshape(h.shape) @ weights["out"]
            h = h + jax.nn.gelu(_normalized(h) @ weights["up"]) @ weights["down"]
            return h, None

        h, _ = jax.lax.scan(block, h, params["blocks"])
        logits = jax.nn.log_softmax((_normalized(h) @ params["unembed"]).astype(jnp.float32))
        losses = -jnp.take_along_axis(logits[:, :-1], tokens[:, 1:, None], -1)
        return loss_scale * jnp.sum(losses) / ALL_TOKENS

    return loss, params, (tokens,)


def _attention(q, k, v):
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k).astype(jnp.float32) / q.shape[-1] ** 0.5
    seen = jnp.tril(jnp.ones((TOKENS, TOKENS), bool))[None, None]
    weights = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf)).astype(v.dtype)
    return jnp.einsum("bhqk,bkhd->bqhd", weights, v)


def _normalized(h):
    wide = h.astype(jnp.float32)
    wide = wide - wide.mean(-1, keepdims=True)
    return (wide * jax.lax.rsqrt(jnp.square(wide).mean(-1, keepdims=True) + 1e-5)).astype(h.dtype)
