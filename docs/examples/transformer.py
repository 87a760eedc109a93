"""A transformer that computes in float16 without scaling its loss.

``depthscale probe transformer:make``, then ``transformer:mended``. Each of its batches is a share of one of 2^22 tokens, as
where gradients are accumulated over devices and steps: what comes back to a token is divided by their number.
"""

import jax
import jax.numpy as jnp

BLOCKS, WIDTH, HEADS, TOKENS, BATCH, WORDS, ALL_TOKENS = 2, 16, 2, 8, 4, 32, 2**22


def make(key):
    """The loss as it is."""
    return _model(key, loss_scale=1.0)


def mended(key):
    """The loss times 2^16, by which gradients are then to be divided in float32 (Micikevicius 2018)."""
    return _model(key, loss_scale=2.0**16)


def _model(key, loss_scale):
    keys = iter(jax.random.split(key, 4 * BLOCKS + 3))

    def matrix(inputs, outputs):
        return jax.random.normal(next(keys), (inputs, outputs)) / inputs**0.5

    block = {"qkv": (WIDTH, 3 * WIDTH), "out": (WIDTH, WIDTH), "up": (WIDTH, 4 * WIDTH), "down": (4 * WIDTH, WIDTH)}
    params = {
        "unembed": matrix(WIDTH, WORDS),
        "embed": matrix(WORDS, WIDTH) * WORDS**0.5,
        "blocks": [{name: matrix(*shape) for name, shape in block.items()} for _ in range(BLOCKS)],
    }
    tokens = jax.random.randint(next(keys), (BATCH, TOKENS), 0, WORDS)

    def loss(params, tokens):
        params = jax.tree.map(lambda array: array.astype(jnp.float16), params)
        h = params["embed"][tokens]
        for block in params["blocks"]:
            q, k, v = jnp.split((_normalized(h) @ block["qkv"]).reshape(BATCH, TOKENS, HEADS, -1), 3, axis=-1)
            h = h + _attention(q, k, v).reshape(h.shape) @ block["out"]
            h = h + jax.nn.gelu(_normalized(h) @ block["up"]) @ block["down"]
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
