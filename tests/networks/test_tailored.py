"""Activations that know their depth: the conditions of their papers, by another quadrature and JAX's own derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bench
from bench.cli import listing
from bench.cli.main import main
from bench.networks.activations import ACTIVATIONS
from bench.networks.tailored import TAILORED, correlation_after
from tests.tolerance import run_frame

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(120)
CLOSE = 1e-4


def averages(name):
    """E φ̂, E φ̂², E φ̂′², E φ̂ φ̂′ z and E φ̂″² over N(0, 1)."""
    phi = ACTIVATIONS[name].function
    with jax.enable_x64(True):
        z = jnp.asarray(NODES)
        value, slope, bend = phi(z), *(jax.vmap(f)(z) for f in (jax.grad(phi), jax.grad(jax.grad(phi))))
        every = (value, value**2, slope**2, value * slope * z, bend**2)
        return [float(WEIGHTS @ np.asarray(each) / WEIGHTS.sum()) for each in every]


@pytest.mark.parametrize(("of", "depth"), [("tanh", 853), pytest.param("gelu", 11, marks=pytest.mark.thorough)])
def test_what_each_asks_of_q_and_c_holds(of, depth):
    mean, square, slopes, scaled, _ = averages(f"dks:of={of},depth={depth}")
    assert [square, scaled] == pytest.approx([1, 1], abs=CLOSE)
    assert mean == pytest.approx(0, abs=CLOSE)
    assert slopes ** (depth - 1) == pytest.approx(1.5, rel=CLOSE)
    _, square, slopes, scaled, bends = averages(f"tat:of={of},depth={depth}")
    assert [square, slopes, scaled] == pytest.approx([1, 1, 1], abs=CLOSE)
    assert bends * (depth - 1) == pytest.approx(0.3, rel=CLOSE)


def test_leaky_relus_of_any_depth_leave_the_wanted_correlation():
    for depth in (20, 853):
        phi = ACTIVATIONS[f"tat:depth={depth}"]
        slope = -float(phi(jnp.asarray(-1.0))) / float(phi(jnp.asarray(1.0)))
        assert correlation_after(slope, depth - 1) == pytest.approx(0.9, abs=1e-5)
        assert phi.homogeneous


def test_the_correlation_after_one_leaky_relu_is_that_of_random_pairs():
    """At c = 0: E φ(z) φ(z′) of independent z and z′, over E φ²."""
    z = np.random.default_rng(0).normal(size=(2, 10**6))
    phi = np.where(z > 0, z, 0.4 * z)
    assert correlation_after(0.4, 1) == pytest.approx(phi[0].mean() * phi[1].mean() / np.square(phi).mean(), abs=2e-3)


@pytest.mark.thorough
def test_a_network_of_852_tailored_layers_keeps_its_gradient(tmp_path):
    """Width 64, L/n = 13, where tanh loses a decade and a half even at its critical scale."""
    names = ["dks:of=tanh,depth=852", "tanh"]
    fields = {"initializers": ["orthogonal"], "widths": [64], "depths": [852], "scales": [1.0], "seeds": 4}
    cells = run_frame(tmp_path, activations=names, **fields)
    medians = cells.groupby("activation", observed=True).log10_grad_first.median()
    assert abs(medians[names[0]] - np.log10(8)) < 0.3
    assert medians[names[0]] - medians["tanh"] > 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dks:of=tan", "dks's of: one of .*did you mean tanh"),
        ("dks:off=tanh", "expected arguments of dks: of, depth, slope; did you mean of"),
        ("tat:depth=1", "tat's depth: a whole number from 2"),
        ("tat:correlation=2", "tat's correlation: a number above 0 and below 1"),
        ("dks:of=hard_tanh", "one of tanh, sigmoid, elu"),
        ("dsk:of=tanh", "did you mean dks"),
    ],
)
def test_what_cannot_be_made_is_one_line(name, message, tmp_path, capsys):
    with pytest.raises(bench.SweepError, match=message) as caught:
        bench.Sweep(activations=name)
    assert "\n" not in str(caught.value)
    assert main(["sweep", "--activations", name, "--results", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_every_maker_is_listed():
    assert [line.partition(":")[0] for line in listing.TAILORED] == list(TAILORED)
