"""Networks written by hand in NumPy, whose gradients are known without a backward pass: an independent Monte Carlo.

y = u · h_{L-1} with E u_i² = 1/n, so that for a random direction D of a matrix with entries of variance 1

    E ‖∂y/∂W_l‖² = E ‖dh_{L-1}‖² / n,  dh_{L-1}: how the last position of the first example moves along D

and the same of h_l. The derivative is a complex step (Squire & Trapp 1998): h(W + iεD).imag / ε, to rounding.
"""

from __future__ import annotations

import numpy as np

TINY = 1e-30


def relu(z):
    return np.where(z.real > 0, z, 0)


def tanh(z):
    return np.tanh(z)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


PHI = {"relu": relu, "tanh": tanh}


def centred(h, axis):
    return h - h.mean(axis=axis, keepdims=True)


def rms(h, axis=-1):
    return h / np.sqrt((h**2).mean(axis=axis, keepdims=True))


def layer(h):
    return rms(centred(h, -1))


def batch(h):
    return rms(centred(h, (0, 1)), (0, 1))


def same(h):
    return h


class Drawn:
    """Matrices N(0, σ²/fan_in), new ones in every block, or those of the first, if ``tied``; moved by iεD in one block."""

    def __init__(self, generator, std, moved, tied):
        self.generator, self.std, self.moved, self.tied, self.kept = generator, std, moved, tied, {}

    def begin(self, layer):
        self.layer, self.place = layer, 0

    def __call__(self, h, out=None, factor=1.0):
        """W h for every example and position."""
        fan_in = h.shape[-1]
        shape = (fan_in, out or fan_in)
        self.place += 1
        if not self.tied or self.place not in self.kept:
            self.kept[self.place] = self.std / np.sqrt(fan_in) * self.generator.standard_normal(shape)
        matrix = factor * self.kept[self.place]
        if self.layer == self.moved:
            matrix = matrix + 1j * TINY * self.generator.standard_normal(shape)
        return h @ matrix


def inputs(generator, batch, length, width, correlation=0.0):
    common = generator.standard_normal((1, 1, width))
    own = generator.standard_normal((batch, length, width))
    return rms(np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own)


def measured(block, *, std, depth, at, seeds, batch=1, length=1, width, read=same, tied=False, correlation=0.0, start=same):
    """At block ``at`` of L = depth, of every seed: mean square of h, ‖∂y/∂h‖², ‖∂y/∂W‖², and the cosine. [seeds, 4]"""
    return np.array(
        [
            _of_seed(seed, block, std, depth, at, (batch, length, width), read, tied, correlation, start)
            for seed in range(seeds)
        ]
    )


def _of_seed(seed, block, std, depth, at, shape, read, tied, correlation, start):
    squares = []
    for what in ("h", "W"):
        generator = np.random.default_rng((seed, 7))
        draw = Drawn(generator, std, at if what == "W" else None, tied)
        state = start(inputs(generator, *shape, correlation))
        for layer in range(1, depth):
            draw.begin(layer)
            state = block(state, draw, inputs(generator, *shape))
            h = state[0] if isinstance(state, tuple) else state
            if layer == at and what == "h":
                value, cosine = (h.real**2).mean(), cosine_of(h.real)
                h = h + 1j * TINY * generator.standard_normal(h.shape)
                state = (h, *state[1:]) if isinstance(state, tuple) else h
        last = read(state[0] if isinstance(state, tuple) else state)[0, -1]
        squares.append(((last.imag / TINY) ** 2).mean())
    return value, *squares, cosine


def cosine_of(h):
    """Of the first example's last position with the others, or, where there is one, with other examples; their mean."""
    vectors = rms(h)
    others = vectors[0, :-1] if h.shape[1] > 1 else vectors[1:, 0]
    return (others @ vectors[0, -1] / h.shape[-1]).mean() if len(others) else np.nan


def highway(phi, bias):
    def block(h, draw, _):
        gate = sigmoid(draw(h) + bias)
        return gate * phi(draw(h)) + (1 - gate) * h

    return block


def conv(phi, dims=1, kernel=3, skip=False, zeros=False):
    def block(h, draw, _):
        batch, length, width = h.shape
        half, around = kernel // 2, {} if zeros else {"mode": "wrap"}
        grid = h.reshape(batch, *[round(length ** (1 / dims))] * dims, width)
        padded = np.pad(grid, [(0, 0), *[(half, kernel - 1 - half)] * dims, (0, 0)], **around)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel,) * dims, tuple(range(1, dims + 1)))
        z = draw(np.moveaxis(windows, dims + 1, -1).reshape(batch, length, -1), width)
        return h + phi(z) if skip else phi(z)

    return block


def rnn(phi):
    return lambda h, draw, x: phi(draw(h) + draw(x))


def softmax(logits):
    found = np.exp(logits - logits.real.max(axis=-1, keepdims=True))
    return found / found.sum(axis=-1, keepdims=True)


def transformer(phi, before=same, within=same, after=same, heads=1, branch=1.0, qk_norm=False, skip=1.0, beta=1.0):
    def block(h, draw, _):
        batch, length, width = h.shape
        x = before(h)
        query, key, value = (draw(x, factor=f).reshape(batch, length, heads, -1) for f in (1, 1, beta))
        if qk_norm:
            query, key = layer(query), layer(key)
        p = softmax(np.einsum("bthd,bshd->bhts", query, key) / np.sqrt(width // heads))
        mixed = np.einsum("bhts,bshd->bthd", p, value).reshape(h.shape)
        h = after(skip * h + branch * within(draw(mixed, factor=beta)))
        inner = phi(draw(before(h), 4 * width, factor=beta))
        return after(skip * h + branch * within(draw(inner, width, factor=beta)))

    return block
