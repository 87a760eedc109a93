"""What number formats make of a model: against gradients in the format itself, and advice that is taken."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bench
from analysis.cli.main import main as plot
from bench.arithmetic.formats import FORMATS
from bench.arithmetic.loss_scale import Step
from bench.arithmetic.mixed import Mixed
from bench.arithmetic.policy import Policy
from bench.arithmetic.rounding import Rounding
from bench.arithmetic.watched import Watched
from bench.cli.main import main
from bench.probing.formats import angle
from bench.probing.formats_text import formats_text
from tests.probing.test_probe import ROTATIONS, X, stacked, stacked_params

SMALL = 2.0**-20  # some of what comes back is then below the half of the smallest float16, 2^-25


def loss(params, x):
    h = jnp.tanh(x @ params["body"])
    return SMALL * jnp.mean(h @ params["head"])  # the line


PARAMS = {"body": ROTATIONS[0] / 4, "head": ROTATIONS[1][:, :1]}
EIGHT = "float8_e4m3fn:gradients=float8_e5m2,scaling=mx,others=bfloat16"


@pytest.fixture(scope="module")
def report():
    return bench.probe(
        loss, PARAMS, X, formats=["float16", "float8_e4m3fn:gradients=float8_e5m2,scaling=mx,others=bfloat16"]
    )


def test_shares_and_angles_are_those_of_gradients_in_the_format(report):
    exact = jax.jit(jax.grad(loss))(PARAMS, X)
    short = jax.jit(bench.rounded(jax.grad(loss), "float16"))(PARAMS, X)
    rows = report.formats[report.formats["format"] == "float16"].set_index("path")
    assert 0 < rows["share_zero"].max() < 1
    for name, gradient in exact.items():
        own, held = (np.asarray(each, np.float64).ravel() for each in (gradient, short[name]))
        assert rows.loc[name, "share_zero"] == np.mean(held == 0)
        assert rows.loc[name, "share_subnormal"] == np.mean((held != 0) & (np.abs(held) < 2.0**-14))
        assert rows.loc[name, "share_overflow"] == 0
        cosine = own @ held / np.linalg.norm(own) / np.linalg.norm(held)
        assert rows.loc[name, "angle"] == pytest.approx(np.degrees(np.arccos(cosine)), rel=1e-3)
        error = np.linalg.norm(held) / np.linalg.norm(own) - 1
        assert rows.loc[name, "norm_error"] == pytest.approx(error, abs=1e-5)


def test_the_advised_loss_scales_are_the_ones_that_save_most(report):
    """One power of two beyond them more is lost, or a gradient overflows."""
    scales = report.in_formats.found[0].scales
    step = Step(Mixed(loss, Policy.parse("float16")), PARAMS, X)

    def lost(power):
        return sum(np.sum(gradient == 0) for gradient in step.scaled(2.0**power))

    assert lost(scales.low) == lost(scales.middle) == lost(scales.high) < lost(scales.low - 1)
    assert [step.overflows(2.0**power) for power in (scales.high, scales.high + 1)] == [False, True]
    assert f"multiply the loss by 2^{scales.middle}" in str(report)
    dynamic = Step(Mixed(loss, Policy.parse("float16:loss_scale=dynamic")), PARAMS, X)
    assert dynamic.scale() == 2.0**scales.high


def test_the_first_loss_has_its_line_and_its_layer(report):
    firsts = report.in_formats.found[0].firsts
    assert firsts.beyond is None
    assert (firsts.lost_backward.path, firsts.lost_backward.backward) == ("head", True)  # its gradient comes first
    line = loss.__code__.co_firstlineno + 2
    assert f"test_formats.py:{line}:" in firsts.lost_backward.source
    eight = report.in_formats.found[1]
    assert eight.firsts.lost_backward is None or "test_formats.py" in eight.firsts.lost_backward.source


@pytest.mark.thorough
def test_layers_of_a_scan_have_their_step_and_what_overflows_forward_no_loss_scale_helps():
    """Rotations times 8: signals of 8^l leave float16 within ten layers, at the layer that powers of two say."""
    params = stacked_params(8.0)
    (found,) = bench.probe(stacked, params, X, formats="float16").in_formats.found
    signal, layer = np.asarray(X), -1
    while np.max(np.abs(signal)) < 65504:
        layer += 1
        signal = signal @ np.asarray(params["layers"]["kernel"][layer])
    assert found.firsts.beyond.path == f"layers.kernel[{layer}]"
    assert not found.firsts.beyond.backward
    assert "test_probe.py" in found.firsts.beyond.source
    assert found.scales is None
    assert np.isinf(found.loss) or np.isnan(found.loss)


def test_long_names_stand_below_the_table(report):
    text = formats_text(report.in_formats, 0.05)
    assert f"float8_e4m3fn (2): {EIGHT}" in text


def test_angles_are_exact_however_small():
    for degrees in (1e-7, 1.0, 90.0, 180.0):
        turned = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
        assert angle(np.array([1.0, 0.0]), turned) == pytest.approx(degrees, rel=1e-8)
    assert np.isnan(angle(np.zeros(2), np.ones(2)))


@pytest.mark.parametrize("formats", ["half", ["float16", "float16:loss_scale=0"], [3]])
def test_a_format_that_is_none_is_refused_before_anything_is_measured(formats):
    with pytest.raises(bench.SweepError, match=r"^formats: got "):
        bench.probe(None, PARAMS, formats=formats)


def test_a_constant_that_a_format_does_not_have_is_named_where_it_is_used():
    (event,) = Watched(jax.make_jaxpr(lambda x: 1e-9 * x)(X), lambda _: Rounding(FORMATS["float16"]))([X])
    assert (event.primitive, event.lost, event.beyond) == ("mul", 1.0, 0.0)


def test_a_branch_is_counted_where_it_is_taken_at_its_step_of_a_scan():
    def program(x):
        def step(h, number):
            return jax.lax.cond(number == 2, lambda h: h * 1e-3, lambda h: h * 0.5, h), None

        return jax.lax.scan(step, x, jnp.arange(4), reverse=True)[0]

    start = jnp.full((2,), 2.0**-16)
    events = Watched(jax.make_jaxpr(program)(start), lambda _: Rounding(FORMATS["float16"]))([start])
    assert [event.steps for event in events if event.lost == 1] == [(2,)]
    assert events[0].place[1] == 1  # of the four steps it is the second that is taken


@pytest.mark.thorough
def test_a_run_keeps_its_formats_and_they_are_drawn(tmp_path, monkeypatch, capsys):
    own = "from tests.probing.test_formats import PARAMS, X, loss\n\nmake = lambda: (loss, PARAMS, (X,))\n"
    (tmp_path / "own_formats.py").write_text(own)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["probe", "own_formats:make", "--formats", "float16", "--run", "mine"]) == 0
    assert "next: python -m analysis probe-formats results/mine" in capsys.readouterr().err
    rows = bench.open("results/mine").formats
    assert set(rows["path"]) == set(PARAMS)
    assert plot(["probe-formats", "results/mine"]) == 0
    assert (tmp_path / "results" / "mine" / "probe-formats.png").stat().st_size > 10_000
    assert plot(["report", "results/mine"]) == 0
    page = (tmp_path / "results" / "mine" / "report.html").read_text()
    assert "float16, at a loss scale of 2^0, loses" in page
    assert all(f"{path}</td>" in page for path in PARAMS)
    assert main(["probe", "own_formats:make", "--formats", "float16", "half", "--run", "other"]) == 2
    told = capsys.readouterr().err
    assert "--formats: got 'half', expected one of float32, " in told
    assert told.count("\n") == 1
    assert not (tmp_path / "results" / "other").exists()
