"""Leading-order theory against networks: coverage, how its error shrinks with width, and where it says nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from bench import theory
from bench.theory.ensembles import Ensemble
from bench.theory.finite_width import Networks
from bench.theory.nonlinearities import NONLINEARITIES
from tests.tolerance import assert_follows, run_frame

CELL = ["initializer", "activation", "width", "bias_std", "depth", "scale"]
DECADE = 2 * np.log(10)  # of ln ‖·‖²
SMOOTH = ("tanh", "sigmoid", "elu", "selu", "gelu", "silu", "softplus", "erf", "hard_tanh", "sine")


def standardized(cells: pd.DataFrame) -> pd.DataFrame:
    """For every cell: (mean over seeds - predicted) in standard errors (z) and in decades, and the law."""
    rows = []
    for cell, seeds in cells.groupby(CELL):
        expected = theory.predict(**dict(zip(CELL, cell, strict=True)))
        mean, std = expected.log10_grad_first
        residual = seeds.log10_grad_first.mean() - mean
        spread = seeds.log10_grad_first.std() / std if std else np.nan
        rows.append((*cell, residual / (std / np.sqrt(len(seeds))) if std else np.nan, residual, spread, expected.law))
    return pd.DataFrame(rows, columns=[*CELL, "z", "residual", "spread", "law"])


@pytest.mark.parametrize("activations", [SMOOTH[::2], pytest.param(SMOOTH[1::2], marks=pytest.mark.thorough)], ids="-".join)
@pytest.mark.parametrize("initializer", ["gaussian", "orthogonal"])
def test_leading_order_covers(tmp_path, initializer, activations):
    """|z| < 1.96 in at least 85 % of cells at width 64, depth 40, with and without bias; spreads within a quarter."""
    fields = {"depths": [2, 40], "scales": [0.7, 1.0, 1.6, 2.5], "widths": [64], "bias_stds": [0.0, 0.3]}
    cells = run_frame(tmp_path, initializers=[initializer], activations=activations, seeds=32, layers=False, **fields)
    found = standardized(cells)
    assert (found.law == "leading order").mean() > 0.9  # softplus and SiLU have a few cells without theory
    found = found[found.law != "none"]
    covered = (found.z.abs() < 1.96).sum()
    print(f"{initializer}: {covered} of {len(found)} cells within 95 %")
    assert covered / len(found) > 0.85
    assert found.z.abs().max() < 6
    assert found.spread.median() == pytest.approx(1, abs=0.05)


def heavy_tailed(key, shape, dtype):
    """A fifth of the entries N(0, 5/n), the rest 0: excess kurtosis 12."""
    kept, drawn = jax.random.split(key)
    spikes = jax.random.normal(drawn, shape, dtype) * jnp.sqrt(jnp.asarray(5 / shape[-1], dtype))
    return jnp.where(jax.random.bernoulli(kept, 0.2, shape), spikes, jnp.zeros(shape, dtype))


def test_kurtosis_is_part_of_the_law(tmp_path):
    """Sigmoid at width 32: entries of excess 12 shift the mean by 0.03 decades, four standard errors; theory follows."""
    fields = {"depths": [6], "scales": [3.0], "widths": [32], "seeds": 512, "layers": False}
    cells = run_frame(tmp_path, initializers=[f"{__name__}:heavy_tailed"], activations=["sigmoid"], **fields)

    def expected(excess):
        return Networks(NONLINEARITIES["sigmoid"], Ensemble("iid", 3.0, excess), 3.0, 0.0, 32).law(6).mean / DECADE

    measured = cells.log10_grad_first.mean()
    assert abs(measured - expected(12.0)) < abs(measured - expected(0.0)) / 2


@pytest.mark.parametrize("orthogonal", [False, True], ids=["gaussian", "orthogonal"])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_of_rectified_networks_the_expansion_is_exact(activation, orthogonal):
    """It does not know of their exact laws; only what two depths share is of the leading order, and falls with width."""
    weights, slope = Ensemble("orthogonal" if orthogonal else "iid", 1.2), NONLINEARITIES[activation].negative_slope
    errors = []
    for width in (32, 128):
        found = Networks(NONLINEARITIES[activation], weights, 1.2, 0.0, width)
        law = theory.gradient_law(width, 40, 1.2, negative_slope=slope, orthogonal=orthogonal)
        ends = theory.slope_law(width, 40, 1.2, negative_slope=slope, orthogonal=orthogonal).variance * (38 * DECADE) ** 2
        long, short = found.law(40), found.law(2)
        slopes = long.variance + short.variance - 2 * long.shared
        errors.append(
            np.abs([long.mean / DECADE - law.mean, long.variance / DECADE**2 / law.variance - 1, slopes / ends - 1])
        )
    assert (np.stack(errors)[:, :2] < 1e-8).all()
    assert errors[0][2] < 0.005
    assert errors[1][2] < errors[0][2] / 3


def test_linear_networks_have_their_exact_law_in_the_expansion_too():
    found = Networks(NONLINEARITIES["linear"], Ensemble("iid", 1.2), 1.2, 0.0, 8).law(40)
    law = theory.gradient_law(8, 40, 1.2, negative_slope=1.0, orthogonal=False)
    np.testing.assert_allclose((found.mean / DECADE, found.variance / DECADE**2), law[:2], rtol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "elu"])
def test_the_leading_order_holds_at_any_depth_over_width(activation):
    """At criticality, L/n = 2, 8 and 25, against draws without matrices: means within 4 errors, spreads within a tenth."""
    generator, depths, samples = np.random.default_rng(11), (48, 192, 600), 400
    draws = theory.draw_networks(
        activation, width=24, depths=depths, weight_std=1.0, samples=samples, generator=generator
    ).log10_grad_first
    for depth, values in zip(depths, draws.T, strict=True):
        expected = theory.predict(initializer="gaussian", activation=activation, width=24, depth=depth, scale=1.0)
        mean, std = expected.log10_grad_first
        assert abs(values.mean() - mean) < 4 * std / np.sqrt(samples), depth
        assert values.std() == pytest.approx(std, rel=0.1), depth


def test_prediction_of_the_slope_is_that_of_its_two_ends(tmp_path):
    fields = {"depths": [2, 60], "scales": [0.9, 1.4], "widths": [64], "seeds": 64}
    cells = run_frame(tmp_path, activations=["tanh", "relu", "selu"], layers=False, **fields)
    for (activation, scale), rows in cells.groupby(["activation", "scale"]):
        ends = rows.pivot_table(index="seed", columns="depth", values="log10_grad_first")
        slopes = (ends[60] - ends[2]) / 58
        expected = theory.predict(initializer="gaussian", activation=activation, width=64, depth=60, scale=scale)
        mean, std = expected.log10_grad_slope
        assert abs(slopes.mean() - mean) < 4 * std / 8 + 1e-4, (activation, scale)
        assert slopes.std() == pytest.approx(std, rel=0.35)


def test_exact_laws_cover_at_their_nominal_rate(tmp_path):
    """20 independent blocks of 8 seeds for each law: the count of 95 % intervals that cover is binomial."""
    blocks, size = 20, 8
    for initializer in ("gaussian", "orthogonal"):
        cells = run_frame(
            tmp_path,
            initializer,
            initializers=[initializer],
            activations=["linear", "relu", "leaky_relu"],
            depths=[30],
            scales=[1.3],
            widths=[32],
            seeds=blocks * size,
            layers=False,
        )
        for activation, rows in cells.groupby("activation"):
            expected = theory.predict(initializer=initializer, activation=activation, width=32, depth=30, scale=1.3)
            assert expected.law == "exact"
            if expected.log10_grad_first.std == 0:
                continue
            means = rows.sort_values("seed").log10_grad_first.to_numpy().reshape(blocks, size).mean(axis=1)
            low, high = expected.log10_grad_first.interval(size)
            covered = int(((means > low) & (means < high)).sum())
            print(f"{initializer} {activation}: {covered} of {blocks} intervals cover")
            assert binomtest(covered, blocks, 0.95).pvalue > 1e-3


def test_identity_has_a_closed_form_and_others_say_why_they_know_nothing():
    expected = theory.predict(initializer="identity", activation="linear", width=9, depth=852, scale=0.25)
    assert expected.log10_grad_first.mean == pytest.approx(850 * np.log10(0.25) + np.log10(3))
    assert expected.log10_grad_slope == (pytest.approx(np.log10(0.25)), 0)
    assert expected.reason == ""
    cell = {"initializer": "gaussian", "activation": "relu", "width": 256, "depth": 50, "scale": 1.0}
    for reason, other in {
        "identity weights": {"initializer": "identity", "activation": "tanh"},
        "initializer sparse": {"initializer": "sparse", "activation": "tanh"},
        "initializer lsuv": {"initializer": "lsuv"},
        "initializer my.module:init": {"initializer": "my.module:init"},
        "loss mse": {"loss": "mse"},
        "scale 0": {"scale": 0.0},
        "gradients lie along activations": {"activation": "softplus", "scale": 1.3},
        "lengths come near": {"activation": "silu", "scale": 1.6},
        "softplus has no critical point": {"initializer": "critical", "activation": "softplus"},
        "width 1": {"activation": "tanh", "width": 1},
    }.items():
        found = theory.predict(**cell | other)
        assert found.law == "none"
        assert found.reason.startswith(reason)


def test_linear_gradients_do_not_know_of_biases():
    cell = {"initializer": "gaussian", "activation": "linear", "width": 64, "depth": 50, "scale": 1.0}
    assert theory.predict(**cell, bias_std=0.5)[:4] == theory.predict(**cell)[:4]


@pytest.mark.parametrize("initializer", ["gaussian", "orthogonal"])
@pytest.mark.parametrize("activation", ["linear", "relu", "leaky_relu"])
def test_relative_gradients_have_one_law_at_every_depth_and_scale(activation, initializer):
    """Against draws; the same networks at other scales have the same relative gradient, at depth 852 too."""
    orthogonal, width = initializer == "orthogonal", 48
    fields = {"width": width, "depths": (2, 30), "samples": 2000, "orthogonal": orthogonal}
    draws = theory.draw_networks(activation, **fields, weight_std=1.2, generator=np.random.default_rng(2))
    law = theory.relative_law(width, orthogonal=orthogonal)
    for relative in draws.log10_relative_first.T:
        assert_follows(relative[np.isfinite(relative)], law.mean, law.variance)
    for depth, scale in ((2, 1.0), (50, 0.5), (852, 1.5)):
        found = theory.predict(initializer=initializer, activation=activation, width=width, depth=depth, scale=scale)
        assert found.log10_relative_first == (law.mean, np.sqrt(law.variance))
    deep = [
        theory.draw_networks(
            activation, **fields | {"depths": (852,), "samples": 4}, weight_std=scale, generator=np.random.default_rng(3)
        )
        for scale in (0.5, 1.5)
    ]
    np.testing.assert_allclose(deep[0].log10_relative_first, deep[1].log10_relative_first, atol=1e-9)


def test_where_gradients_are_not_homogeneous_nothing_is_said_of_relative_ones():
    cell = {"initializer": "gaussian", "width": 64, "depth": 50, "scale": 1.0}
    assert np.isnan(theory.predict(activation="tanh", **cell).log10_relative_first).all()
    assert np.isnan(theory.predict(activation="linear", bias_std=0.1, **cell).log10_relative_first).all()


@pytest.mark.thorough
def test_every_cell_has_a_prediction_or_none():
    """No exception at the corners of the interface."""
    for activation in (*SMOOTH, "linear", "relu", "leaky_relu"):
        for scale in (0.0, 1.0, 1e9):
            for width, depth, bias_std in [(1, 2, 0.0), (2, 3, 1.0), (64, 40, 1e-6)]:
                for initializer in ("gaussian", "orthogonal", "identity", "critical"):
                    found = theory.predict(
                        initializer=initializer,
                        activation=activation,
                        width=width,
                        depth=depth,
                        scale=scale,
                        bias_std=bias_std,
                    )
                    known = found.law != "none"
                    assert known == (found.reason == "")
                    assert np.isfinite(found.log10_grad_first.mean) == known, (activation, scale, width, initializer)
                    assert np.isfinite(found.log10_grad_first.std) == known


@pytest.mark.parametrize(
    ("architecture", "hint"), [("residul", "did you mean residual?"), ("gru", ""), ("own.blocks:rnn", "")]
)
def test_a_misspelled_architecture_is_told_from_one_without_a_law(architecture, hint):
    cell = {"initializer": "gaussian", "activation": "tanh", "width": 8, "depth": 5, "scale": 1.0}
    found = theory.predict(**cell, architecture=architecture)
    assert found.law == "none"
    assert ("did you mean" in found.reason) == bool(hint)
    assert found.reason.endswith(hint)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sine"])
@pytest.mark.parametrize("initializer", ["he_normal", "orthogonal"])
def test_branches_of_any_factor_have_a_law_or_none(activation, initializer):
    cell = {"initializer": initializer, "activation": activation, "width": 16, "scale": 1.0}
    for depth in (2, 9):
        assert np.isfinite(theory.predict(**cell, architecture="residual:alpha=-1e50", depth=depth).log10_grad_first.mean)
        for alpha in ("1e160", "-1e300", "1e308"):
            found = theory.predict(**cell, architecture=f"residual:alpha={alpha}", depth=depth)
            assert (found.law, bool(found.reason)) == ("none", True)


def test_a_mean_of_zero_is_no_mean():
    cell = {"activation": "tanh", "width": 16, "depth": 9, "scale": 1.0}
    for mean in ("0", "0.0", "-0"):
        assert theory.predict(**cell, initializer=f"gaussian:mean={mean}") == theory.predict(**cell, initializer="gaussian")
    for other in ("gaussian:mean=0.3", "gaussian:mean=", "orthogonal:mean=0"):
        assert theory.predict(**cell, initializer=other).law == "none"
