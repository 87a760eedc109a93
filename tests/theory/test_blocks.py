"""Mean field theory of architectures, against networks written by hand, closed forms and each other."""

import numpy as np
import pytest

from bench.networks.architectures.registry import architecture_of
from bench.theory import attending_blocks, block_trajectory, fixed_point, gated, predict
from bench.theory.batch_norm import on_sphere
from bench.theory.block import Setting
from bench.theory.blocks import LAWS
from bench.theory.nonlinearities import nonlinearity
from bench.theory.softmax import Attention, attention
from tests.theory import by_hand
from tests.theory.by_hand import PHI, batch, layer

WIDTH, SEEDS, DEPTH, AT = 120, 24, 7, 2
STANDARD_ERRORS, FINITE = 4.0, 0.03  # decades: O(L/n)
EXAMPLES = {"batch": 4}
POSITIONS = {"batch": 2, "length": 4}


# by the name of the architecture: the block by hand, of φ, and what else it needs
BLOCKS = {
    "plain": (lambda phi: lambda h, draw, _: phi(draw(h)), EXAMPLES),
    "residual:alpha=-0.5": (lambda phi: lambda h, draw, _: h - 0.5 * phi(draw(h)), EXAMPLES),
    "residual2:alpha=0.5": (lambda phi: lambda h, draw, _: h + 0.5 * draw(phi(draw(h))), EXAMPLES),
    "normed": (lambda phi: lambda h, draw, _: phi(layer(draw(h))), EXAMPLES),
    "normed:after=true": (lambda phi: lambda h, draw, _: layer(phi(draw(h))), EXAMPLES),
    "pre_layernorm": (lambda phi: lambda h, draw, _: h + draw(phi(layer(h))), EXAMPLES | {"read": layer}),
    "pre_layernorm:peri=true": (lambda phi: lambda h, draw, _: h + layer(draw(phi(layer(h)))), EXAMPLES | {"read": layer}),
    "post_layernorm": (lambda phi: lambda h, draw, _: layer(h + draw(phi(h))), EXAMPLES),
    "highway:gate_bias=-1": (lambda phi: by_hand.highway(phi, -1), EXAMPLES),
    "batchnorm": (lambda phi: lambda h, draw, _: phi(batch(draw(h))), {"batch": 8}),
    "batchnorm:skip=true": (lambda phi: lambda h, draw, _: h + draw(phi(batch(h))), POSITIONS),
    "conv": (by_hand.conv, POSITIONS),
    "conv:skip=true": (lambda phi: by_hand.conv(phi, skip=True), POSITIONS),
    "conv:padding=zero": (lambda phi: by_hand.conv(phi, zeros=True), POSITIONS),
    "conv:dims=2,kernel=2,padding=zero,skip=true": (lambda phi: by_hand.conv(phi, 2, 2, True, True), POSITIONS),
    "rnn": (by_hand.rnn, EXAMPLES | {"tied": True}),
    "transformer": (lambda phi: by_hand.transformer(phi, layer), POSITIONS | {"read": layer}),
    "transformer:heads=4,qk_norm=true": (
        lambda phi: by_hand.transformer(phi, layer, heads=4, qk_norm=True),
        POSITIONS | {"read": layer},
    ),
    "transformer:norm=post": (lambda phi: by_hand.transformer(phi, after=layer), POSITIONS),
    "transformer:norm=sandwich": (lambda phi: by_hand.transformer(phi, layer, layer), POSITIONS | {"read": layer}),
    "transformer:norm=none,branch=0.3": (lambda phi: by_hand.transformer(phi, branch=0.3), POSITIONS),
    "transformer:norm=post,branch=deepnorm": (
        lambda phi: by_hand.transformer(phi, after=layer, skip=(2 * (DEPTH - 1)) ** 0.25, beta=(8 * (DEPTH - 1)) ** -0.25),
        POSITIONS,
    ),
}


CASES = [("relu", name) for name in BLOCKS] + [
    pytest.param("tanh", name, marks=() if name in ("batchnorm", "transformer") else pytest.mark.thorough) for name in BLOCKS
]


@pytest.mark.parametrize(("activation", "name"), CASES)
def test_blocks_have_the_moments_of_networks_by_hand(name, activation):
    block, examples = BLOCKS[name]
    found = by_hand.measured(
        block(PHI[activation]), std=1.2, depth=DEPTH, at=AT, seeds=SEEDS, width=WIDTH, correlation=0.3, **examples
    )
    sizes = {key: examples.get(key, 1) for key in ("batch", "length")}
    law = block_trajectory(name, activation, 1.2, DEPTH, WIDTH, **sizes, correlation=0.3)
    means, errors = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(SEEDS)
    numbers = WIDTH * sizes["batch"] * sizes["length"]
    for place, expected in enumerate((law.log10_activation - np.log10(numbers) / 2, law.log10_delta, law.log10_grad)):
        relative = errors[place] / means[place] / 2 / np.log(10)
        assert abs(np.log10(means[place]) / 2 - expected[AT - 1]) < STANDARD_ERRORS * relative + FINITE
    if sizes["batch"] > 1 and "zero" not in name:
        assert abs(means[3] - law.cosine[AT - 1]) < STANDARD_ERRORS * errors[3] + FINITE


@pytest.mark.parametrize("name", ["highway", "residual"])
def test_the_direction_of_the_mean_keeps_the_gradient_of_deep_narrow_networks(name):
    """Which has a part of O(1/n) that new matrices would not pass on so: a decade here, in the mean of squares."""
    block = {"highway": by_hand.highway(PHI["relu"], -2), "residual": lambda h, draw, _: h + PHI["relu"](draw(h))}[name]
    std, depth, width, seeds = 1.4, {"highway": 60, "residual": 20}[name], 48, 80
    found = by_hand.measured(block, std=std, depth=depth, at=1, seeds=seeds, width=width)[:, 1]
    error = found.std(ddof=1) / np.sqrt(seeds) / found.mean() / 2 / np.log(10)
    law = block_trajectory(name, "relu", std, depth, width).log10_delta[0]
    wide = block_trajectory(name, "relu", std, depth, 10**9).log10_delta[0]
    assert abs(np.log10(found.mean()) / 2 - law) < STANDARD_ERRORS * error
    assert np.log10(found.mean()) / 2 - wide > 0.5


@pytest.mark.parametrize("count", [4, 8, 64, 4096])
def test_batch_norm_is_the_theorem_of_yang_et_al(count):
    """Theorems 8 and 9, with J the arc-cosine kernel."""
    found, c = on_sphere(nonlinearity("relu"), count), -1 / (count - 1)
    kernel, slope = (np.sqrt(1 - c**2) + (np.pi - np.arccos(c)) * c) / np.pi, (np.pi - np.arccos(c)) / np.pi
    theorem = (slope + count - 1) / ((count - 3) * (1 - kernel)) - 1 / (count - 3)
    rate = (found.back - found.mixed) * count / ((count - 3) * (found.same - found.other))
    assert rate == pytest.approx(theorem, rel=1e-6)
    law = block_trajectory("batchnorm", "relu", 0.7, 20, 64, batch=count)
    assert np.diff(law.log10_delta)[3] == pytest.approx(-np.log10(theorem) / 2, rel=1e-6)


@pytest.mark.parametrize("count", [4, 5, 9])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_averages_on_the_sphere_are_those_of_draws(count, activation):
    phi = nonlinearity(activation)
    z = np.random.default_rng(0).standard_normal((400_000, count))
    z -= z.mean(axis=1, keepdims=True)
    z *= np.sqrt(count) / np.linalg.norm(z, axis=1, keepdims=True)
    first, second = z[:, 0], z[:, 1]
    value, slope = phi.function(first), phi.slope(first)
    drawn = (
        value**2,
        value * phi.function(second),
        slope**2 * (1 - 1 / count - first**2 / count),
        -slope * phi.slope(second) * (1 + first * second) / count,
    )
    np.testing.assert_allclose(on_sphere(phi, count), [each.mean() for each in drawn], atol=5e-3)


def test_zeros_beyond_the_ends_take_from_critical_convolutions():
    """The largest eigenvalue of the mean over kernels of 3: of 852 layers of 8 × 8 positions 15 decades are left."""
    side, depth = 8, 200
    one = (1 + 2 * np.cos(np.pi / (side + 1))) / 3
    for dims in (1, 2):
        law = block_trajectory(f"conv:dims={dims},padding=zero", "relu", 2**0.5, depth, 32, length=side**dims)
        assert law.log10_delta[1] - law.log10_delta[0] == pytest.approx(-dims * np.log10(one) / 2, rel=1e-6)
    assert 852 * np.log10(one) == pytest.approx(-15, abs=0.5)
    ring = block_trajectory("conv:dims=2", "relu", 2**0.5, depth, 32, length=64)
    np.testing.assert_allclose(ring.log10_delta, 0, atol=1e-9)


def test_uniform_attention_with_a_skip_collapses_as_in_its_closed_form(monkeypatch):
    """Noci et al. 2022: 1 - c_l = (1 - c_0) / (1 + (2^l - 1)/T), from c_0 = 0."""
    length, blocks = 16, 12
    monkeypatch.setattr(attending_blocks, "attention", lambda *_: Attention(1 / length, 0.0, 0.0, 0.0))
    setting = Setting({"qk_norm": "true"}, nonlinearity("relu"), 1.0, blocks, 64, 1, length, 1.0, 0.0, True)
    state = attending_blocks.State(0.0, 1.0, np.nan)
    for block in range(1, blocks + 1):
        branch = attending_blocks._attention(setting, state, np.exp(state.value), 1.0)
        state, _ = attending_blocks._added(state, branch, 0.0, branch.height, post=False)
        assert state.apart == pytest.approx(1 / (1 + (2**block - 1) / length), rel=1e-9)


def test_attention_is_uniform_where_logits_are_small():
    found = attention(8, 1e-6, 0.7)
    assert found.same == pytest.approx(1 / 8)
    assert found.unlike == pytest.approx(0, abs=1e-9)
    assert found.slope == pytest.approx(found.mixed) == pytest.approx((1 - 1 / 8) / 8)


def test_pre_layernorm_grows_by_its_branch_and_its_first_gradient_ignores_depth():
    deep, shallow = (block_trajectory("pre_layernorm", "relu", 2**0.5, depth, 64) for depth in (852, 10))
    np.testing.assert_allclose(10 ** (2 * deep.log10_activation) / 64, 1 + np.arange(1, 852))
    assert deep.log10_grad[0] == pytest.approx(shallow.log10_grad[0])
    for std in (0.1, 30):  # peri-LN: at any scale
        peri = block_trajectory("pre_layernorm:peri=true", "tanh", std, 50, 64)
        np.testing.assert_allclose(10 ** (2 * peri.log10_activation) / 64, 1 + np.arange(1, 50))


def test_he_relu_makes_two_inputs_alike_as_one_over_depth_squared():
    """1 - c_l → 9π²/(2 l²)."""
    cosine = block_trajectory("plain", "relu", 2**0.5, 5000, 64).cosine
    assert (1 - cosine[-1]) * 5000**2 == pytest.approx(9 * np.pi**2 / 2, rel=0.02)


def test_two_inputs_come_to_the_fixed_point_of_their_correlation():
    point = fixed_point("erf", 2.0, 0.0)
    for correlation in (0.9, 0.1):
        law = block_trajectory("plain", "erf", 2.0, 60, 64, correlation=correlation)
        assert law.cosine[-1] == pytest.approx(point.c, abs=1e-4)


def test_a_gate_that_is_shut_has_no_gradient_and_keeps_everything():
    for init in ("rezero", "skipinit"):
        law = block_trajectory(f"residual2:init={init}", "tanh", 1.0, 9, 64)
        assert np.isneginf(law.log10_grad).all()
        np.testing.assert_allclose(law.log10_delta, 0, atol=1e-12)
        assert gated(f"residual2:init={init}")
    assert gated("residual:alpha=0")
    assert gated("transformer:branch=0.0,heads=2")
    assert not any(map(gated, ("residual2:init=fixup", "residual:alpha=1/sqrt(L)", "transformer:branch=deepnorm", "plain")))
    fixup = block_trajectory("residual2:init=fixup", "tanh", 1.0, 9, 64)
    assert np.isfinite(fixup.log10_grad).all()  # W₁'s part is 0, W₂'s is not


def test_predictions_of_other_architectures_are_of_mean_field_or_say_why_there_is_none():
    cell = {"initializer": "he_normal", "activation": "relu", "width": 64, "depth": 30, "scale": 1.0}
    known = predict(**cell, architecture="pre_layernorm", input_norm=2.0)
    law = block_trajectory("pre_layernorm", "relu", 2**0.5, 30, 64, input_norm=2.0).log10_grad[0]
    assert known.law == "mean field"
    assert known.log10_grad_first.mean == pytest.approx(law)
    assert known.log10_grad_first.typical(0.5) == pytest.approx(law - np.log(10) / 4)
    for others, words in (
        ({"architecture": "residual2:init=rezero"}, "a gate that is shut"),
        ({"architecture": "residual", "bias_std": 0.1}, "biases"),
        ({"architecture": "residual", "initializer": "identity"}, "identity weights"),
        ({"architecture": "transformer", "initializer": "glorot_normal"}, "not square"),
        ({"architecture": "rnn"}, "ends before depth 30"),
        ({"architecture": "residual", "loss": "mse"}, "loss mse"),
    ):
        found = predict(**cell | others)
        assert found.law == "none"
        assert words in found.reason


def test_laws_end_where_they_say():
    """Shared matrices after √n steps, batch normalization below four examples, saturated attention."""
    assert block_trajectory("rnn", "tanh", 1.0, 9, 64) is not None
    assert block_trajectory("rnn", "tanh", 1.0, 10, 64) is None
    assert block_trajectory("lstm", "tanh", 1.0, 3, 64) is None
    assert block_trajectory("batchnorm", "tanh", 1.0, 5, 64, batch=3) is None
    assert block_trajectory("transformer", "tanh", 3.0, 5, 64, length=4) is None
    assert block_trajectory("mypackage.blocks:mine", "tanh", 1.0, 5, 64) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pre_layernorm:norm=other", "norm=layer or rms"),
        ("transformer:norm=foo", "norm=pre or post or sandwich or none"),
        ("batchnorm:skip=yes", "skip=true or false"),
        ("residual2:init=fixed", "init=plain or fixup or"),
        ("residual:alpha=half", "values that a sweep takes"),
    ],
)
def test_arguments_that_mean_nothing_are_refused_as_a_sweep_does(name, expected):
    with pytest.raises(ValueError, match=f"architecture: got '{name}', expected {expected}"):
        block_trajectory(name, "relu", 1.0, 5, 8, batch=4)


def test_words_are_those_of_the_architectures():
    for name, law in LAWS.items():
        for argument, words in law.words.items():
            for word in words:
                architecture_of(f"{name}:{argument}={word}")  # refuses what it does not know


@pytest.mark.parametrize("name", [name for name in LAWS if name not in ("residual", "highway", "transformer")])
def test_most_theory_has_no_end(name):
    for activation in ("relu", "tanh"):
        law = block_trajectory(name, activation, 1e160, 8, 64, batch=2, length=4)
        assert all(np.isfinite(each).all() for each in law[:3])
