"""Small models as JAX users write them: each draws its parameters and returns its loss with them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

MODELS: dict[str, Callable[[Callable], tuple[Callable, Any]]] = {}


def model(build: Callable) -> Callable:
    MODELS[build.__name__.replace("_", " ")] = build
    return build


def draws(dtype: str) -> Callable[..., np.ndarray]:
    """Standard normal arrays of the shapes asked for, the same numbers in every dtype."""
    generator = np.random.default_rng(0)
    return lambda *shape: generator.normal(size=shape).astype(dtype)


def integers(draw: Callable, *shape: int, below: int) -> np.ndarray:
    return (np.abs(draw(*shape)) * 1000).astype(np.int32) % below


def layer_norm(x: Any) -> Any:
    return (x - x.mean(-1, keepdims=True)) * lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)


@model
def mlp(draw):
    x, labels = draw(4, 6), integers(draw, 4, below=3)

    def loss(params):
        h = x
        for W, b in params[:-1]:
            h = jax.nn.gelu(h @ W + b)
        logits = jax.nn.log_softmax(h @ params[-1][0] + params[-1][1])
        return -jnp.take_along_axis(logits, labels[:, None], -1).mean()

    return loss, [(draw(6, 6) / 2, draw(6)), (draw(6, 3), draw(3))]


@model
def residual_convolutions_with_batch_norm(draw):
    x = draw(2, 6, 6, 3)
    convolve = partial(lax.conv_general_dilated, padding="SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def norm(x, scale):
        return scale * (x - x.mean((0, 1, 2))) / jnp.sqrt(x.var((0, 1, 2)) + 1e-5)

    def loss(params):
        h = convolve(x, params["stem"], (1, 1))
        for a, b, scale in params["blocks"]:
            h = h + convolve(jax.nn.relu(norm(convolve(jax.nn.relu(h), a, (1, 1)), scale)), b, (1, 1))
        h = convolve(h, params["down"], (2, 2))
        pooled = lax.reduce_window(h, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 1, 1, 1), "VALID")
        pooled = lax.reduce_window(pooled, 0.0, lax.add, (1, 2, 2, 1), (1, 1, 1, 1), "VALID") / 4
        return (pooled.mean((1, 2)) ** 2).sum()

    blocks = [(draw(3, 3, 4, 4) / 6, draw(3, 3, 4, 4) / 6, draw(4))]
    return loss, {"stem": draw(3, 3, 3, 4) / 5, "blocks": blocks, "down": draw(3, 3, 4, 4) / 6}


@model
def convolutions_transposed_dilated_and_grouped(draw):
    x, y = draw(1, 4, 6), draw(1, 8, 4)

    def loss(params):
        grouped = lax.conv_general_dilated(
            x, params["a"], (1,), "SAME", rhs_dilation=(2,), dimension_numbers=("NCH", "OIH", "NCH"), feature_group_count=2
        )
        return (grouped**2).sum() + jnp.sin(lax.conv_transpose(y, params["b"], (2,), "SAME")).sum()

    return loss, {"a": draw(6, 2, 3), "b": draw(3, 4, 4)}


@model
def lstm(draw):
    x = draw(5, 2, 4)

    def loss(params):
        def cell(state, x):
            h, c = state
            i, f, o, g = jnp.split(jnp.concatenate([h, x], -1) @ params["W"] + params["b"], 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zero = jnp.zeros((2, 4), x.dtype)
        _, states = lax.scan(cell, (zero, zero), x)
        return (states**2).sum()

    return loss, {"W": draw(8, 16), "b": draw(16)}


@model
def gru_backward_and_unrolled(draw):
    x = draw(6, 2, 4)

    def loss(params):
        def cell(h, x):
            z, r = jnp.split(jax.nn.sigmoid(x @ params["i"] + h @ params["h"]), 2, -1)
            h = z * h + (1 - z) * jnp.tanh(x @ params["g"] + r * h)
            return h, (h, -h)

        last, (states, _) = lax.scan(cell, jnp.zeros((2, 4), x.dtype), x, reverse=True, unroll=2)
        return (last * states[2]).sum()

    return loss, {"i": draw(4, 8), "h": draw(4, 8), "g": draw(4, 4)}


@model
def transformer_with_masks(draw):
    x, long = draw(5, 8), np.arange(5) < 4

    def attention(h, p, mask):
        q, k, v = (jnp.einsum("td,dhe->the", h, w) for w in p)
        scores = jnp.where(mask, jnp.einsum("the,she->hts", q, k) / 2, jnp.finfo(h.dtype).min)
        return jnp.einsum("hts,she->the", jax.nn.softmax(scores), v).reshape(h.shape)

    def loss(params):
        h = x
        for attending, a, b in params:
            h = h + attention(layer_norm(h), attending, jnp.tril(jnp.ones((5, 5), bool)) & long)
            h = h + jax.nn.silu(layer_norm(h) @ a) @ b
        return jax.nn.logsumexp(h)

    return loss, [(tuple(draw(3, 8, 2, 4) / 3), draw(8, 12) / 3, draw(12, 8) / 3)]


@model
def mixture_of_experts(draw):
    x = draw(6, 4)

    def loss(params):
        gates, chosen = lax.top_k(jax.nn.softmax(x @ params["router"]), 2)
        outputs = jax.nn.relu(jnp.einsum("td,tkde->tke", x, params["experts"][chosen]))
        return (jnp.einsum("tk,tke->te", gates / gates.sum(-1, keepdims=True), outputs) ** 2).sum()

    return loss, {"router": draw(4, 3), "experts": draw(3, 4, 4)}


@model
def loops_forward(draw):
    x = draw(4)

    def loss(params):
        h = lax.fori_loop(0, 3, lambda i, h: jnp.tanh(h @ params["W"]) + i, x)
        return (h**2).sum() + jax.lax.stop_gradient(lax.while_loop(lambda v: v.sum() < 9, lambda v: v * 2 + 1, x**2)).sum()

    return loss, {"W": draw(4, 4)}


@model
def branches(draw):
    x = draw(3, 4)

    def loss(params):
        a = lax.cond(params["w"].sum() > 0, lambda v: jnp.sin(v) * params["b"], lambda v: v**3, x * params["w"])
        b = lax.switch(2, [jnp.cos, jnp.exp, lambda v: v / (1 + v * v)], a)
        return (jnp.where(b > 0.1, b, params["b"]) ** 2).sum()

    return loss, {"w": draw(4), "b": draw(4)}


@model
def rematerialized(draw):
    x = draw(3, 4)

    def loss(params):
        @jax.checkpoint
        def block(h, W):
            return h + jnp.sin(layer_norm(h) @ W), None

        h, _ = lax.scan(block, x, params)
        return jax.checkpoint(lambda h: jnp.sum(jnp.cosh(h / 4)))(h)

    return loss, draw(3, 4, 4)


@model
def custom_derivatives(draw):
    x = draw(4)

    @jax.custom_jvp
    def softplus(x):
        return jnp.log1p(jnp.exp(-jnp.abs(x))) + jnp.maximum(x, 0)

    softplus.defjvp(lambda x, t: (softplus(*x), jax.nn.sigmoid(x[0]) * t[0]))

    @jax.custom_vjp
    def halved(x):
        return jnp.sin(x)

    halved.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (jnp.cos(x) * g / 2,))
    return lambda w: (halved(softplus(w * x) * w) ** 2).sum(), draw(4)


@model
def vmapped_inside(draw):
    x = draw(5, 3)

    def loss(params):
        def one(row):
            return jnp.linalg.norm(jnp.tanh(params @ row)) + jax.grad(lambda r: jnp.sum(jnp.sin(params @ r)))(row).sum()

        return jax.vmap(one)(x).mean()

    return loss, draw(3, 3)


@model
def graph_of_segments(draw):
    x, senders, receivers = draw(5, 4), integers(draw, 9, below=5), integers(draw, 9, below=5)

    def loss(W):
        messages = (x @ W)[senders]
        totals = jax.ops.segment_sum(messages, receivers, 5) / jnp.maximum(jnp.bincount(receivers, length=5)[:, None], 1)
        return jnp.square(totals).sum() + jax.ops.segment_max(messages, receivers, 5)[receivers].sum()

    return loss, draw(4, 4)


@model
def gathers_and_scatters(draw):
    where = integers(draw, 6, below=5)

    def loss(table):
        rows = table[where].at[1].set(2.0).at[2:4].mul(3.0).at[0].add(table[1]).at[where[:3]].max(0.1).at[3].min(table[3])
        return (rows * jnp.take(table, where, axis=0, mode="fill", fill_value=0.5)).sum() ** 2

    return loss, draw(5, 3)


@model
def cumulative(draw):
    def loss(x):
        sums, products = jnp.cumsum(x, -1), jnp.cumprod(x, 0)
        return (sums * products).sum() + lax.cumlogsumexp(x, 1)[:, 2].sum() + lax.cummax(x, 1, reverse=True).prod(-1).sum()

    return loss, draw(3, 5)


@model
def spectral(draw):
    x = draw(3, 8)

    def loss(filters):
        waves = jnp.fft.ifft(jnp.fft.fft(x) * filters["w"])
        return jnp.abs(waves).sum() + (jnp.fft.irfft(jnp.fft.rfft(x) * filters["r"]) ** 2).sum()

    return loss, {"w": draw(8), "r": draw(5)}


@model
def complex_rotations(draw):
    x = draw(4, 3)

    def loss(params):
        z = lax.complex(x @ params["a"], x @ params["b"]) * jnp.exp(1j * params["phase"])
        return (jnp.real(z * jnp.conj(z)) * jnp.angle(z) + jnp.imag(z @ z.T).sum()).sum()

    return loss, {"a": draw(3, 4), "b": draw(3, 4), "phase": draw(4)}


@model
def factorizations(draw):
    x = draw(4, 4)

    def loss(A):
        spd = A @ A.T + 2 * jnp.eye(4, dtype=x.dtype)
        whitened = jax.scipy.linalg.solve_triangular(jnp.linalg.cholesky(spd), x, lower=True)
        values, vectors = jnp.linalg.eigh(spd)
        q, r = jnp.linalg.qr(A)
        return (whitened**2).sum() + (values * vectors[0] ** 2).sum() + (q * x).sum() + jnp.abs(r).sum()

    return loss, draw(4, 4)


@model
def solves(draw):
    b = draw(4)

    def loss(A):
        shifted = A + 4 * jnp.eye(4, dtype=b.dtype)
        return (
            (jnp.linalg.solve(shifted, b) ** 2).sum()
            + jnp.linalg.slogdet(shifted)[1]
            + jnp.linalg.svd(A, False, False)[0].sum()
        )

    return loss, draw(4, 4)


@model
def dropout_and_noise(draw):
    x, key = draw(4, 6), jax.random.key(3)

    def loss(W):
        h = jax.nn.relu(x @ W)
        h = jnp.where(jax.random.bernoulli(key, 0.7, h.shape), h / 0.7, 0)
        return (h * jax.random.normal(key, h.shape, h.dtype)).sum() + (h * jax.random.uniform(key, (6,), h.dtype)).max()

    return loss, draw(6, 6)


@model
def embedded_tokens(draw):
    tokens = integers(draw, 3, 5, below=7)

    def loss(params):
        h = params["table"][tokens] + params["places"]
        logits = jnp.einsum("btd,vd->btv", jnp.tanh(h), params["table"])
        return -(jax.nn.one_hot(tokens, 7, dtype=h.dtype) * jax.nn.log_softmax(logits)).sum(-1).mean()

    return loss, {"table": draw(7, 4), "places": draw(5, 4)}


@model
def powers_and_special_functions(draw):
    def loss(x):
        y = jnp.abs(x) + 0.5
        return (
            (x**5 + x**-3 + y**2.3 + 1.3**x + jnp.cbrt(y) + y**x).sum()
            + jax.scipy.special.erfinv(jnp.tanh(x) * 0.9).sum()
            + (jax.scipy.special.gammaln(y) + jax.scipy.special.digamma(y) + jax.scipy.special.erfc(x)).sum()
            + (jnp.arctan2(x, y) + jnp.log2(y) + jnp.exp2(x) + jnp.expm1(x) + jnp.log1p(y) + jnp.arcsinh(x)).sum()
        )

    return loss, draw(5)


@model
def sorted_and_ranked(draw):
    def loss(x):
        rows, order = jnp.sort(x, -1), jnp.argsort(x[0])
        best = jnp.argmax(x, -1)
        return (rows * jnp.arange(4)).sum() + (x[:, order] ** 2)[0, :2].sum() + jnp.median(x) + x[jnp.arange(3), best].prod()

    return loss, draw(3, 4)


@model
def slices_that_move(draw):
    def loss(x):
        buffer = lax.dynamic_update_slice(jnp.zeros((6, 4), x.dtype), x[:3] * 2, (jnp.argmax(x[0]), 0))
        part = lax.dynamic_slice(buffer, (1, 1), (3, 2))
        return (jnp.roll(part, 1, 0) * part).sum() + (jnp.pad(x, ((1, 0), (2, 1)), constant_values=0.3) ** 2).prod(0).sum()

    return loss, draw(4, 4)


@model
def nested_scans(draw):
    x = draw(3, 2, 4)

    def loss(W):
        def inner(h, row):
            return jnp.tanh(h @ W + row), h.sum()

        def outer(h, rows):
            h, sums = lax.scan(inner, h, rows)
            return h * 0.9, sums

        h, sums = lax.scan(outer, jnp.ones(4, x.dtype), x)
        return (h**2).sum() * sums.sum() + lax.scan(inner, h, x[0, :0])[0].sum()

    return loss, draw(4, 4)


@model
def low_precision_inside(draw):
    x = draw(4, 6)

    def loss(W):
        h = (x.astype(jnp.bfloat16) @ W.astype(jnp.bfloat16)).astype(x.dtype)
        return (jax.nn.relu(h) ** 2).mean() + (jnp.tanh((x @ W).astype(jnp.float16) * jnp.float16(0.5))).astype(
            x.dtype
        ).sum()

    return loss, draw(6, 6)


@model
def clipped_and_compared(draw):
    def loss(x):
        y = jnp.clip(x, -0.8, 1.1) + jnp.minimum(x, x[::-1]) + jnp.where(x > x.mean(), x, -jnp.inf).max() + jnp.sign(x) * x
        return (y % 1.3 + jnp.round(x) * x + jax.nn.relu6(4 * x) + jax.nn.elu(x) + jax.nn.hard_swish(x)).prod()

    return loss, draw(6)


@model
def products_of_everything(draw):
    def loss(x):
        return jnp.prod(x) ** 2 + jnp.prod(x, 0).sum() + jnp.prod(jnp.concatenate([x, 2 * x], 1), (0, 1))

    return loss, draw(3, 2)


@model
def hypernetwork_by_einsum(draw):
    x = draw(3, 4)

    def loss(params):
        W = jnp.einsum("k,kij->ij", jax.nn.softmax(params["z"]), params["bank"])
        return jnp.einsum("bi,ij,bj->b", x, W, x).std() + jnp.trace(W @ W) + jnp.linalg.det(W[:3, :3])

    return loss, {"z": draw(5), "bank": draw(5, 4, 4)}


@model
def second_derivatives(draw):
    x = draw(4)

    def loss(W):
        def energy(v):
            return jax.nn.logsumexp(W @ v) + jnp.sum(jnp.tanh(v) ** 2)

        forward, tangent = jax.jvp(jax.grad(energy), (x,), (jnp.ones_like(x),))
        return (forward * tangent).sum() + jnp.trace(jax.hessian(energy)(x))

    return loss, draw(4, 4)
