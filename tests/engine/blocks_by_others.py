"""The networks of bench.networks.architectures as anyone would write them, with Flax's layers where it has them."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

EPSILON = 1e-5


class At(NamedTuple):
    phi: Callable
    x: jax.Array  # what the block reads
    layer: int
    depth: int


def normalized(h, norm="layer"):
    module = nn.LayerNorm if norm == "layer" else nn.RMSNorm
    options = {"use_bias": False} if norm == "layer" else {}
    return module(epsilon=EPSILON, use_scale=False, **options).apply({}, h)


def over_examples(h):
    module = nn.BatchNorm(use_running_average=False, use_bias=False, use_scale=False, epsilon=EPSILON)
    zeros = {"batch_stats": {"mean": jnp.zeros(h.shape[-1]), "var": jnp.ones(h.shape[-1])}}
    return module.apply(zeros, h, mutable=["batch_stats"])[0]


def convolved(h, matrix, kernel, padding):
    width = h.shape[-1]
    weights = jnp.stack([matrix[:, k * width : (k + 1) * width].T for k in range(kernel)])
    return nn.Conv(width, (kernel,), padding=padding, use_bias=False).apply({"params": {"kernel": weights}}, h)


def convolved_2d(h, matrix, kernel):
    batch, length, width = h.shape
    side = round(length**0.5)
    weights = jnp.stack([matrix[:, k * width : (k + 1) * width].T for k in range(kernel**2)])
    weights = weights.reshape(kernel, kernel, width, width)
    module = nn.Conv(width, (kernel, kernel), padding="CIRCULAR", use_bias=False)
    return module.apply({"params": {"kernel": weights}}, h.reshape(batch, side, side, width)).reshape(h.shape)


def lstm(state, w, x, phi, forget_bias):
    """Flax's cell keeps (c, h)."""
    parts = {name: jnp.split(w[name], 4) for name in "WU"}
    params = {f"i{gate}": {"kernel": m.T} for gate, m in zip("ifog", parts["U"], strict=True)}
    params |= {f"h{gate}": {"kernel": m.T, "bias": jnp.zeros(len(m))} for gate, m in zip("ifog", parts["W"], strict=True)}
    params["hf"]["bias"] += forget_bias
    h, c = state
    (c, h), _ = nn.LSTMCell(h.shape[-1], activation_fn=phi).apply({"params": params}, (c, h), x)
    return h, c


def gru(h, w, x, phi):
    (reset, keep), (reset_in, keep_in) = jnp.split(w["V"], 2), jnp.split(w["G"], 2)
    params = {"ir": reset_in, "iz": keep_in, "in": w["U"], "hr": reset, "hz": keep, "hn": w["W"]}
    params = {name: {"kernel": matrix.T} for name, matrix in params.items()}
    params |= {name: params[name] | {"bias": jnp.zeros(h.shape[-1])} for name in ("ir", "iz", "in", "hn")}
    return nn.GRUCell(h.shape[-1], activation_fn=phi).apply({"params": params}, h, x)[0]


def attention(h, w, heads, qk_norm=False):
    batch, length, width = h.shape
    q, k, v = ((h @ w[name].T).reshape(batch, length, heads, width // heads) for name in "QKV")
    if qk_norm:
        q, k = normalized(q), normalized(k)
    return nn.dot_product_attention(q, k, v).reshape(h.shape) @ w["O"].T


def mlp(h, w, phi):
    return phi(h @ w["in"].T) @ w["out"].T


def transformer(h, w, phi, heads=1, before=lambda h: h, after=lambda h: h, within=lambda h: h, skip=1.0, qk_norm=False):
    h = after(skip * h + within(attention(before(h), w, heads, qk_norm)))
    return after(skip * h + within(mlp(before(h), w, phi)))


def gated(h, w, phi, bias):
    gate = jax.nn.sigmoid(h @ w["T"].T + bias)
    return gate * phi(h @ w["W"].T) + (1 - gate) * h


# name → (state, W by name, x_l, l, L, at.phi) → next state; what the readout sees: FINALLY, else h itself
BLOCKS = {
    "plain": lambda h, w, at: at.phi(h @ w["W"].T),
    "residual:alpha=1/sqrt(L)": lambda h, w, at: h + at.phi(h @ w["W"].T) / at.depth**0.5,
    "residual2": lambda h, w, at: h + at.phi(h @ w["W1"].T) @ w["W2"].T,
    "residual2:init=fixup": lambda h, w, at: h + at.phi(h @ w["W1"].T) @ w["W2"].T,
    "normed": lambda h, w, at: at.phi(normalized(h @ w["W"].T)),
    "normed:after=true,norm=rms": lambda h, w, at: normalized(at.phi(h @ w["W"].T), "rms"),
    "pre_layernorm": lambda h, w, at: h + at.phi(normalized(h)) @ w["W"].T,
    "pre_layernorm:peri=true,scaling=1/sqrt(l)": (
        lambda h, w, at: h + normalized(at.phi(normalized(h) / at.layer**0.5) @ w["W"].T)
    ),
    "post_layernorm": lambda h, w, at: normalized(h + at.phi(h) @ w["W"].T),
    "batchnorm": lambda h, w, at: at.phi(over_examples(h @ w["W"].T)),
    "batchnorm:skip=true": lambda h, w, at: h + at.phi(over_examples(h)) @ w["W"].T,
    "conv": lambda h, w, at: at.phi(convolved(h, w["W"], 3, "CIRCULAR")),
    "conv:dims=2": lambda h, w, at: at.phi(convolved_2d(h, w["W"], 3)),
    "rnn": lambda h, w, at: at.phi(h @ w["W"].T + at.x @ w["U"].T),
    "lstm": lambda state, w, at: lstm(state, w, at.x, at.phi, 1.0),
    "gru": lambda h, w, at: gru(h, w, at.x, at.phi),
    "highway:gate_bias=-1": lambda h, w, at: gated(h, w, at.phi, -1),
    "transformer:heads=2": lambda h, w, at: transformer(h, w, at.phi, heads=2, before=normalized),
    "transformer:norm=post": lambda h, w, at: transformer(h, w, at.phi, after=normalized),
    "transformer:norm=sandwich,qk_norm=true": (
        lambda h, w, at: transformer(h, w, at.phi, before=normalized, within=normalized, qk_norm=True)
    ),
    "transformer:branch=deepnorm,norm=post": (
        lambda h, w, at: transformer(h, w, at.phi, after=normalized, skip=(2 * (at.depth - 1)) ** 0.25)
    ),
}
FINALLY = {
    "pre_layernorm": normalized,
    "pre_layernorm:peri=true,scaling=1/sqrt(l)": normalized,
    "transformer:heads=2": normalized,
    "transformer:norm=sandwich,qk_norm=true": normalized,
}
# depth → what matrices are multiplied by when they are drawn
FACTORS = {
    "residual2:init=fixup": lambda depth: {"W1": depth**-0.5, "W2": 0.0},
    "transformer:branch=deepnorm,norm=post": lambda depth: dict.fromkeys(
        ("V", "O", "in", "out"), (8 * (depth - 1)) ** -0.25
    ),
}
