"""Each verdict where it is due, and what a report says of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bench
from bench.settings.errors import SweepError
from tests.probing.test_probe import DEPTH, HEAD, ROTATIONS, WIDTH, X, stacked, stacked_params

DARK = -20.0  # a bias at which no relu is active


def small(params, x):
    """Everything that a report can find, in one small program: each parameter is a model of its own."""
    dead = jax.nn.relu(x @ params["dead"] + DARK)
    gated = params["gate"] * jnp.tanh(x @ params["gated"])
    frozen = jax.lax.stop_gradient(params["frozen"]) * x
    h = jnp.concatenate(
        [x, dead, gated, frozen, x * jnp.round(params["rounded"]).astype(jnp.int32).sum().astype(jnp.float32)], axis=1
    )
    return jnp.mean(jnp.square(h @ params["head"]))


def small_params():
    eye = jnp.eye(WIDTH)
    names = {"dead": eye, "gate": jnp.zeros(()), "gated": eye, "frozen": jnp.ones(()), "rounded": jnp.ones(WIDTH)}
    return names | {"unused": jnp.ones(3), "head": jnp.ones((5 * WIDTH, 1))}


def test_what_has_no_gradient_says_why():
    report = bench.probe(small, small_params(), X)
    verdicts = dict(zip(report.table["path"], report.table["verdict"], strict=True))
    assert verdicts == {
        "dead": "dead",
        "gate": "healthy",
        "gated": "gated",
        "frozen": "disconnected",
        "rounded": "disconnected",
        "unused": "disconnected",
        "head": "healthy",
    }
    assert report.guilty == "dead"
    first, *_ = report.as_text().splitlines()[2:]
    assert " dead " in first


@pytest.mark.parametrize(("scale", "verdict"), [(0.5, "vanishing"), (1.0, "healthy"), (2.0, "exploding")])
def test_a_chain_of_scaled_rotations_is_what_its_scale_says(scale, verdict):
    """Cotangents of rotations times s: log₁₀ s decades per layer back, signals as many forward, gradients none."""
    report = bench.probe(stacked, stacked_params(scale), X)
    assert report.verdict == verdict
    rows = report.activations[:DEPTH]
    np.testing.assert_allclose(np.diff(rows["log10_cotangent"]), -np.log10(scale), rtol=0, atol=1e-5)
    np.testing.assert_allclose(np.diff(rows["log10_value_rms"]), np.log10(scale), rtol=0, atol=1e-5)
    trend = report.slopes["cotangent"]
    assert trend.low - 0.05 < -np.log10(scale) < trend.high + 0.05  # the head, which is no rotation, is one of the layers


def test_thresholds_are_arguments_and_stand_in_the_report():
    report = bench.probe(stacked, stacked_params(0.5), X, thresholds={"apart": 50})
    assert report.verdict == "healthy"
    assert "apart=50" in str(report)
    with pytest.raises(SweepError, match="thresholds: got 'aprt', expected one of per_layer, apart"):
        bench.probe(stacked, stacked_params(0.5), X, thresholds={"aprt": 50})


def test_signals_are_those_of_the_program():
    """Values of rotations have the length of the input; what comes back is the head over the number of rows."""
    activations = bench.probe(stacked, stacked_params(1.0), X).activations
    assert activations["path"].tolist() == [*(f"layers.kernel[{i}]" for i in range(DEPTH)), "a_head"]
    size = np.log10(np.linalg.norm(X) / np.sqrt(X.size))
    np.testing.assert_allclose(activations["log10_value_rms"][:DEPTH], size, rtol=0, atol=1e-5)
    back = np.log10(np.linalg.norm(HEAD) / np.sqrt(len(X)))
    np.testing.assert_allclose(activations["log10_cotangent"][:DEPTH], back, rtol=0, atol=1e-5)
    assert all("test_probe.py" in source for source in activations["source"])


def test_steps_of_a_recurrent_network_vanish_though_its_gradient_does_not():
    def loss(params, xs):
        h, _ = jax.lax.scan(lambda h, x: (h @ params["recurrent"] + x, None), jnp.zeros_like(X), xs)
        return jnp.mean(h)

    report = bench.probe(loss, {"recurrent": 0.5 * ROTATIONS[0]}, jnp.broadcast_to(X, (16, *X.shape)))
    (row,) = report.table.itertuples()
    assert row.per_step == pytest.approx(np.log10(2), abs=1e-4)
    assert (row.verdict, row.steps) == ("vanishing", 16)
    assert row.log10_relative > -1
    assert "0.301 decades per step" in row.why


def test_the_first_equation_that_leaves_the_range_is_named_with_its_line():
    def loss(params, x):
        masked = jnp.log(0 * jnp.sum(x))  # -inf, but of no consequence
        h, _ = jax.lax.scan(lambda h, kernel: (jnp.exp(h @ kernel), None), x, params["kernels"])  # the line
        return jnp.mean(h) + jnp.exp(masked)

    report = bench.probe(loss, {"kernels": 9 * ROTATIONS}, X)
    line = loss.__code__.co_firstlineno + 2
    assert report.verdict == "non-finite"
    assert report.origin.primitive == "exp"
    assert f"test_verdicts.py:{line}:" in report.origin.source
    assert report.guilty == f"kernels[{report.origin.step}]"


def test_a_gradient_that_is_not_finite_though_the_loss_is_has_its_line_too():
    report = bench.probe(lambda params, x: jnp.mean(jnp.sqrt(0 * (x @ params))), HEAD, X)
    assert (report.loss, report.verdict) == (0, "non-finite")
    assert "test_verdicts.py" in report.origin.source


def test_a_format_that_is_too_small_is_named():
    def loss(params, x):
        return 1e-9 * jnp.mean(x.astype(jnp.float16) @ params.astype(jnp.float16), dtype=jnp.float32)

    with jax.numpy_dtype_promotion("standard"):
        report = bench.probe(loss, ROTATIONS[0], X)
    assert report.verdict == "underflow"
    assert "float16" in report.table["why"][0]
    assert np.all(np.asarray(jax.grad(loss)(ROTATIONS[0], X)) == 0)


@pytest.mark.parametrize(
    ("loss", "params", "match"),
    [
        (lambda p: p, jnp.arange(3), "^params: got .*expected a pytree with at least one array of floats"),
        (lambda p: p, jnp.ones(3), r"^loss: got 'float32\[3\]', expected one float"),
        (lambda p: (p.sum(), 0), jnp.ones(3), "^loss: got .*expected one float"),
        (3, jnp.ones(3), "^loss: got 3, expected a function"),
    ],
)
def test_what_cannot_be_probed_is_refused_in_one_line(loss, params, match):
    with pytest.raises(SweepError, match=match):
        bench.probe(loss, params)


def test_a_parameter_that_is_not_finite_is_the_guilty_one_and_no_line():
    params = {"kernels": 0.5 * ROTATIONS, "last": jnp.full(3, jnp.nan)}
    report = bench.probe(lambda params, x: jnp.sum(x @ params["kernels"][0]) + jnp.sum(params["last"]), params, X)
    assert (report.verdict, report.guilty, report.origin) == ("non-finite", "last", None)
    assert "last (it is not finite itself)" in report.headline()[0]
