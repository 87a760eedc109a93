"""Exact laws of blocks against networks written by hand in NumPy, whose gradients come from complex steps.

Means and variances of gradients at two depths, and of slopes, over 400 to 3000 networks: within 4 standard errors.
"""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from bench import theory
from bench.theory import branch_laws
from tests.theory.by_hand import TINY, layer, relu, rms, same
from tests.tolerance import assert_follows, run_frame

PHI = {"linear": same, "relu": relu, "leaky_relu": lambda z: np.where(z.real > 0, z, 0.01 * z)}
NETWORKS = {2: 3000, 4: 3000, 8: 2000, 16: 1000, 32: 400}  # by width
DEPTHS = {2: 12, 8: 12, 16: 3, 32: 16}


class Products:
    """W h of a block, for every network and every direction in which block 1's products are moved by iε."""

    def __init__(self, generator, ensemble, std, width, seeds):
        self.generator, self.ensemble, self.std, self.shape = generator, ensemble, std, (seeds, width, width)
        self.moved, self.read, self.first = 0, [], True

    def __call__(self, h, kernels=0):
        matrix = self.ensemble(self.generator, self.shape) * self.std
        if kernels:  # the middle of so many
            matrix = np.pad(matrix, ((0, 0), (0, 0), (kernels // 2 * self.shape[-1],) * 2))
        out = np.einsum("soi,sdpi->sdpo", matrix, h)
        if self.first:
            self.read.append(h[:, 0].real)
            size = out.shape[2] * out.shape[3]
            steps = np.zeros((h.shape[1], size))
            steps[self.moved : self.moved + size] = np.eye(size)
            out = out + 1j * TINY * steps.reshape(1, -1, *out.shape[2:])
            self.moved += size
        return out


def gaussian(generator, shape):
    return generator.standard_normal(shape) / np.sqrt(shape[-1])


def uniform(generator, shape):
    return generator.uniform(-1, 1, shape) * np.sqrt(3 / shape[-1])


def orthogonal(generator, shape):
    found, upper = np.linalg.qr(generator.standard_normal(shape))
    return found * np.sign(np.einsum("sii->si", upper))[:, None]


def identity(_generator, shape):
    return np.broadcast_to(np.eye(shape[-1]), shape)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def log10_grad_first(block, *, depth, width, std, ensemble, seeds, input_norm=1.0, products=1, positions=1):
    """Of y = u · h_{L-1} at the last position: the norm over block 1's matrices of Σ_p ∂y/∂z_p hᵀ_p. [seeds]"""
    generator = np.random.default_rng((5, width, seeds))
    x = np.sqrt(width) * input_norm * unit(generator.standard_normal((seeds, 1, positions, width)))
    u = unit(generator.standard_normal((seeds, width)))
    draw = Products(generator, ensemble, std, width, seeds)
    h = np.repeat(x, products * positions * width, axis=1)
    read = []
    for number in range(1, depth):
        h = block(h, draw, depth)
        if number == 1:
            read, draw.first = draw.read, False
    moved = np.einsum("sdi,si->sd", np.imag(h[:, :, -1]), u) / TINY
    parts = moved.reshape(seeds, products, positions, width)
    squares = [(np.einsum("spo,spi->soi", parts[:, k], each) ** 2).sum(axis=(1, 2)) for k, each in enumerate(read)]
    return np.log10(sum(squares)) / 2


def around(h):
    """Of every position on a ring what kernels of three see."""
    return np.concatenate([np.roll(h, 1, axis=2), h, np.roll(h, -1, axis=2)], axis=-1)


def added(alpha):
    return lambda _phi: lambda h, draw, depth: h + alpha(depth) * draw(h)


def twice(alpha):
    return lambda phi: lambda h, draw, depth: h + alpha(depth) * draw(phi(draw(h)))


# by the name of the architecture: the block by hand, of φ
BLOCKS = {
    "residual": added(lambda _: 1.0),
    "residual:alpha=-0.3": added(lambda _: -0.3),
    "residual:alpha=1/sqrt(L)": added(lambda depth: depth**-0.5),
    "residual2": twice(lambda _: 1.0),
    "residual2:alpha=1/sqrt(L)": twice(lambda depth: depth**-0.5),
    "residual2:alpha=-0.5": twice(lambda _: -0.5),
    "residual2:init=layerscale": twice(lambda _: 1e-4),
    "normed": lambda phi: lambda h, draw, _: phi(layer(draw(h))),
    "normed:norm=rms": lambda phi: lambda h, draw, _: phi(rms(draw(h))),
    "normed:after=true": lambda phi: lambda h, draw, _: layer(phi(draw(h))),
    "normed:after=true,norm=rms": lambda phi: lambda h, draw, _: rms(phi(draw(h))),
    "post_layernorm:norm=rms": lambda phi: lambda h, draw, _: rms(h + draw(phi(h))),
    "conv": lambda phi: lambda h, draw, _: phi(draw(around(h), 3)),
    "conv:skip=true": lambda phi: lambda h, draw, _: h + phi(draw(around(h), 3)),
}
LENGTHS_ALONE = {("linear", "orthogonal"), ("linear", "identity")}  # whose slopes of residual2 are exact
GAUSSIAN, ORTHOGONAL, IDENTITY = ("gaussian", gaussian), ("orthogonal", orthogonal), ("identity", identity)
BOTH, DELTA = (GAUSSIAN, ORTHOGONAL), (("delta_orthogonal", orthogonal),)
CASES = [
    *(("linear", name, weights, 8) for name in ("residual", "residual:alpha=-0.3") for weights in (*BOTH, IDENTITY)),
    *(("linear", "residual", weights, 2) for weights in BOTH),
    *(("linear", "residual:alpha=1/sqrt(L)", weights, 32) for weights in BOTH),
    *(("linear", name, weights, 8) for name in ("residual2", "residual2:alpha=1/sqrt(L)") for weights in (*BOTH, IDENTITY)),
    ("linear", "residual2", GAUSSIAN, 2),
    *(
        (activation, "residual2", weights, width)
        for activation in ("relu", "leaky_relu")
        for weights in BOTH
        for width in (8, 16)
    ),
    *(("relu", "residual2:alpha=1/sqrt(L)", weights, 32) for weights in BOTH),
    ("relu", "residual2:alpha=-0.5", GAUSSIAN, 2),
    ("linear", "residual2:init=layerscale", GAUSSIAN, 8),
    *(("linear", f"normed{rest}", weights, 8) for rest in ("", ":norm=rms", ":after=true") for weights in BOTH),
    *(("relu", name, weights, 32) for name in ("normed:norm=rms", "normed:after=true,norm=rms") for weights in BOTH),
    ("linear", "post_layernorm:norm=rms", GAUSSIAN, 8),
    ("linear", "post_layernorm:norm=rms", GAUSSIAN, 32),
    *((activation, "conv", weights, 8) for activation in ("linear", "relu") for weights in DELTA),
    *(("linear", "conv:skip=true", weights, 8) for weights in DELTA),
]


@pytest.mark.parametrize(
    ("activation", "name", "weights", "width"), CASES, ids=lambda value: value[0] if isinstance(value, tuple) else str(value)
)
@pytest.mark.parametrize("scale", [1.6, pytest.param(0.7, marks=pytest.mark.thorough)])
def test_networks_written_by_hand_follow_their_law(activation, name, weights, width, scale):
    initializer, ensemble = weights
    cell = {"architecture": name, "activation": activation, "initializer": initializer, "width": width, "scale": scale}
    depth = 4 if name == "conv" else DEPTHS[width]
    made: Any = {"products": 2 if "residual2" in name else 1, "positions": 3 if "conv" in name else 1}
    made |= {"width": width, "std": scale, "ensemble": ensemble, "seeds": NETWORKS[width], "input_norm": 2.0}
    with np.errstate(divide="ignore"):
        short, long = (log10_grad_first(BLOCKS[name](PHI[activation]), depth=each, **made) for each in (2, depth))
    alive = np.isfinite(long)
    found = theory.predict(**cell, depth=depth, input_norm=2.0)
    refused = activation != "linear" and "residual2" in name and width < 16
    exact = refused or not name.startswith(("residual2", "post")) or (activation, initializer) in LENGTHS_ALONE
    assert found.law == ("exact" if exact else "leading order")
    assert binomtest(int(alive.sum()), len(alive), found.alive).pvalue > 1e-4
    mean, std = theory.predict(**cell, depth=2, input_norm=2.0).log10_grad_first
    assert_follows(short[np.isfinite(short)], mean, std**2)
    assert_follows(long[alive], found.log10_grad_first.mean, found.log10_grad_first.std**2)
    if refused:
        assert np.isnan(found.log10_grad_slope).all()
    else:
        assert_follows(
            (long[alive] - short[alive]) / (depth - 2), found.log10_grad_slope.mean, found.log10_grad_slope.std**2
        )


@pytest.mark.parametrize("width", [4, 8])
@pytest.mark.parametrize("scale", [0.01, 0.1, 0.3])
def test_small_blocks_leave_a_readout_where_it_was(width, scale):
    """Of post_layernorm: what a normalization takes of a readout is nearly the same at depth 2 and at depth 3."""
    made: Any = {"width": width, "std": scale, "ensemble": gaussian, "seeds": NETWORKS[width]}
    block = BLOCKS["post_layernorm:norm=rms"](same)
    short, long = (log10_grad_first(block, depth=each, **made) for each in (2, 6))
    cell: Any = {"initializer": "gaussian", "activation": "linear", "width": width, "scale": scale}
    mean, std = theory.predict(**cell, architecture="post_layernorm:norm=rms", depth=6).log10_grad_slope
    assert_follows((long - short) / 4, mean, std**2)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("activation", "name"), [("linear", "residual"), ("relu", "residual2"), ("relu", "normed:norm=rms")]
)
def test_the_engine_covers_at_the_nominal_rate(tmp_path, activation, name):
    """Of 40 intervals for means over 8 seeds, of the first gradient and of the slope, the count that covers is binomial."""
    blocks, size, depth = 40, 8, 30
    cell = {"activation": activation, "architecture": name, "initializer": "gaussian", "width": 32, "scale": 1.3}
    fields: Any = {"depths": [2, depth], "seeds": blocks * size, "layers": False}
    cells = run_frame(tmp_path, **{f"{key}s": [value] for key, value in cell.items()} | fields)
    ends = cells.pivot_table(index="seed", columns="depth", values="log10_grad_first")
    found = theory.predict(**cell, depth=depth)
    for values, law in (
        (ends[depth], found.log10_grad_first),
        ((ends[depth] - ends[2]) / (depth - 2), found.log10_grad_slope),
    ):
        means = values.to_numpy().reshape(blocks, size).mean(axis=1)
        low, high = law.interval(size)
        assert binomtest(int(((means > low) & (means < high)).sum()), blocks, 0.95).pvalue > 1e-3


def test_a_branch_of_linear_units_is_one_whose_units_are_all_on():
    """Leaky ReLU's shares, whose slope is nearly 1, lead where linear's closed form is."""
    for gaussian in (True, False):
        nearly, linear = (branch_laws.branch(16, slope, gaussian=gaussian, log_square=0.3) for slope in (1 - 1e-7, 1.0))
        np.testing.assert_allclose(nearly.step, linear.step, rtol=1e-6)
        assert nearly.kept == pytest.approx(linear.kept)
        nearly, linear = (branch_laws.first(16, slope, gaussian=gaussian) for slope in (1 - 1e-7, 1.0))
        np.testing.assert_allclose(nearly.whole, linear.whole, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("small", [1e-3, 1e-2])
def test_of_what_normalizations_add_one_factor_is_left(small):
    """The same networks with and without it: (1 + e)^-1/2 at depth L, whatever L is; e's own spread adds 5/n of e."""

    def softened(h):
        return h / np.sqrt((h**2).mean(axis=-1, keepdims=True) + small)

    def block(phi, norm):
        return lambda h, draw, _: phi(norm(draw(h)))

    fields = {"width": 32, "std": 1.0, "ensemble": gaussian, "seeds": 100}
    for phi, share in ((same, 1.0), (relu, 0.5)):
        for depth in (5, 12):
            with_it, without = (log10_grad_first(block(phi, norm), depth=depth, **fields) for norm in (softened, rms))
            assert (with_it - without).mean() == pytest.approx(-math.log10(1 + small / share) / 2, rel=0.3)


@pytest.mark.parametrize("name", ["residual:alpha=1/sqrt(L)", "residual2", "normed:norm=rms", "post_layernorm:norm=rms"])
def test_laws_have_no_end(name):
    """At depth 852, at widths 32 and 1024 and scales that no float holds the square of."""
    for initializer, width, scale in itertools.product(("gaussian", "orthogonal"), (32, 1024), (1e-160, 1e-3, 1.0, 1e160)):
        cell = {"architecture": name, "activation": "linear", "initializer": initializer, "width": width, "scale": scale}
        found = theory.predict(**cell, depth=852)
        assert np.isfinite([found.log10_grad_first.mean, found.log10_grad_slope.mean]).all()
        if found.law in ("exact", "leading order"):
            assert np.isfinite([found.log10_grad_first.std, found.log10_grad_slope.std]).all()
        else:
            assert (name.startswith("normed"), scale <= 1e-3) == (True, True) or name.startswith("post")


def test_where_a_law_is_not_exact_there_is_mean_field_or_the_leading_order():
    cell = {"initializer": "gaussian", "activation": "relu", "width": 64, "depth": 30, "scale": 1.4}
    for law, other in (
        ("exact", {"architecture": "normed:norm=rms"}),
        ("mean field", {"architecture": "normed"}),
        ("mean field", {"architecture": "normed:norm=rms", "width": 8}),  # layers of one living unit
        ("mean field", {"architecture": "normed:norm=rms", "scale": 0.01}),  # the 10^-5 of a normalization
        ("none", {"architecture": "normed:norm=rms", "bias_std": 0.1}),
        ("mean field", {"architecture": "residual"}),
        ("leading order", {"architecture": "residual2", "initializer": "he_normal"}),
        ("leading order", {"architecture": "residual2"}),
        ("exact", {"architecture": "residual2", "depth": 2}),
        ("exact", {"architecture": "residual2", "width": 15}),  # of its gradient; of its slope there is none
        ("none", {"architecture": "residual2", "bias_std": 0.1}),
        ("none", {"architecture": "residual2", "initializer": "identity"}),
        ("exact", {"architecture": "residual2:init=fixup"}),
        ("exact", {"architecture": "residual", "activation": "linear", "bias_std": 0.1}),
        ("none", {"architecture": "residual:alpha=-1", "activation": "linear", "initializer": "identity", "scale": 1.0}),
        ("leading order", {"architecture": "conv:kernel=1", "activation": "tanh"}),
        ("mean field", {"architecture": "conv"}),
        ("none", {"architecture": "conv:padding=zero,skip=true", "initializer": "delta_orthogonal"}),
    ):
        assert theory.predict(**cell | other).law == law, other


def test_convolutions_that_do_not_look_aside_are_plain_networks():
    cell = {"activation": "tanh", "width": 16, "depth": 9, "scale": 1.2}
    plain = theory.predict(**cell, initializer="orthogonal")
    for name, kernels in (("conv", 3), ("conv:dims=2,kernel=5", 25), ("conv:dims=2,padding=zero", 4), ("conv:kernel=1", 1)):
        found = theory.predict(**cell, architecture=name, initializer="delta_orthogonal")
        assert found.log10_grad_first.mean == pytest.approx(plain.log10_grad_first.mean + np.log10(kernels) / 2)
        assert (found.log10_grad_slope, found.law) == (plain.log10_grad_slope, plain.law)
