"""Random networks against exact finite-width laws, over many seeds with fixed keys."""

import numpy as np
import pytest
from scipy.stats import beta, binomtest, kstest

from bench import theory
from tests.tolerance import assert_follows, run_frame

DEPTHS = {1: 12, 2: 12, 8: 20, 32: 20}  # by width
SEEDS = {1: 512, 2: 512, 8: 256, 32: 128}
SLOPES = {"linear": 1.0, "relu": 0.0, "leaky_relu": 0.01}
SCALES = {"linear": 0.9, "relu": float(np.sqrt(2)), "leaky_relu": float(np.sqrt(2))}
SHALLOW = 4  # so that many narrow networks of rectified units live


@pytest.fixture(scope="module", params=[(name, width) for name in ("gaussian", "orthogonal") for width in DEPTHS], ids=str)
def networks(request, tmp_path_factory):
    """(initializer, width, cells): one draw for all activations."""
    initializer, width = request.param
    fields = {"initializers": [initializer], "activations": list(SLOPES), "scales": sorted(set(SCALES.values()))}
    fields |= {"widths": [width], "depths": [2, SHALLOW, DEPTHS[width]]}
    return initializer, width, run_frame(tmp_path_factory.mktemp("laws"), seeds=SEEDS[width], key=1, layers=False, **fields)


@pytest.mark.parametrize("activation", SLOPES)
def test_networks_follow_their_exact_law(networks, activation):
    initializer, width, cells = networks
    if activation == "leaky_relu" and width == 1:
        pytest.skip("two values of equal probability have a variance without sampling error")
    depth = SHALLOW if activation == "relu" and width < 8 else DEPTHS[width]
    scale = SCALES[activation]
    cells = cells[(cells.activation == activation) & (cells.scale == scale) & cells.depth.isin([2, depth])]
    orthogonal = initializer == "orthogonal"
    values = cells.pivot_table(index="seed", columns="depth", values="log10_grad_first", dropna=False).to_numpy()
    alive = np.isfinite(values[:, 1])
    for column, at in enumerate((2, depth)):
        law = theory.gradient_law(width, at, scale, negative_slope=SLOPES[activation], orthogonal=orthogonal)
        living = np.isfinite(values[:, column])
        assert binomtest(int(living.sum()), SEEDS[width], law.alive).pvalue > 1e-4
        assert np.isneginf(values[~living, column]).all()
        assert_follows(values[living, column], law.mean, law.variance)
    slope = theory.slope_law(width, depth, scale, negative_slope=SLOPES[activation], orthogonal=orthogonal)
    assert_follows((values[alive, 1] - values[alive, 0]) / (depth - 2), slope.mean, slope.variance)


@pytest.mark.parametrize("activation", SLOPES)
def test_relative_gradients_have_one_law_at_the_first_and_last_layer(networks, activation):
    """1/|cos| of a uniform direction and a fixed one, whatever the scale; at width 1 there is no direction."""
    initializer, width, cells = networks
    directions, norm = (width, width) if initializer == "orthogonal" else (width**2, 1)
    for _, rows in cells[cells.activation == activation].groupby(["depth", "scale"]):
        alive = rows[np.isfinite(rows.log10_grad_first)]
        for values in (alive.log10_relative_first, alive.log10_relative_last):
            if width == 1:
                np.testing.assert_allclose(values, 0, atol=2e-6)
            else:
                assert kstest(norm * 10 ** (-2 * values), beta(1 / 2, (directions - 1) / 2).cdf).pvalue > 1e-4


def test_a_dead_network_is_silent(tmp_path):
    cells = run_frame(tmp_path, activations=["relu"], depths=[4], scales=[1.0], widths=[2], seeds=256, layers=False)
    dead = np.isneginf(cells.log10_grad_first)
    assert dead.any()
    assert np.isneginf(cells.log10_output[dead]).all()


def test_gaussian_at_root_two_is_he_gaussian(tmp_path):
    fields = {"activations": ["relu"], "depths": [30], "seeds": 2, "layers": False}
    he = run_frame(tmp_path, "he", initializers=["he_gaussian"], scales=[1.0], **fields)
    gaussian = run_frame(tmp_path, "gaussian", scales=[np.sqrt(2)], **fields)
    np.testing.assert_allclose(he.log10_grad_first, gaussian.log10_grad_first, atol=1e-4)


@pytest.mark.parametrize("width", [2, 3, 64])
@pytest.mark.parametrize("negative_slope", [0.0, 0.01, 0.5])
def test_the_share_of_a_layer_is_that_of_its_random_variables(width, negative_slope):
    """The law of ln B against draws of what it is defined by, without a network."""
    generator = np.random.default_rng(0)
    share = theory.laws.log_share(width, negative_slope)
    active = generator.random((100_000, width)) < 0.5
    square = np.square(generator.standard_normal(active.shape))
    drawn = (np.where(active, 1.0, negative_slope**2) * square).sum(axis=1) / square.sum(axis=1)
    assert binomtest(int((drawn > 0).sum()), len(drawn), share.alive).pvalue > 1e-4 or share.alive == 1
    assert_follows(np.log(drawn[drawn > 0]), share.mean, share.variance)
