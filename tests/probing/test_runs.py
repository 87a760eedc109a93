"""The command line: a report on standard output, rows in a run's folder, and one line for what cannot be probed."""

import numpy as np
import pytest

import bench
from analysis.cli.main import main as plot
from bench.cli.main import main

MODEL = """
import jax
from tests.probing.test_probe import X, stacked, stacked_params

def make(key):
    return stacked, stacked_params(1 + 0.1 * jax.random.uniform(key)), (X,)

def raises():
    raise RuntimeError("no weights\\nanywhere")

def wrong():
    return stacked

def fails():
    return stacked, {"layers": X}, (X,)

def vector():
    return (lambda params: params), X, ()

def whole():
    return (lambda params: params.sum()), jax.numpy.arange(3), ()

def leaves():
    raise SystemExit(3)

def nothing():
    pass

def array():
    return stacked, stacked_params(1.0), X

def needs(key, width):
    pass

def kinds():
    return (lambda params, x: (x @ params).sum()), jax.numpy.ones((3, 4)), (X,)

def beside():
    return (lambda params: (params.sum(), 0)), X, ()

def python():
    return (lambda params: params["rate"]), {"rate": 1.0}, ()

def concrete():
    return (lambda params: float(params.sum())), X, ()

def gone():
    params = jax.numpy.ones(3)
    params.delete()
    return (lambda params: params.sum()), params, ()

def far():
    return (lambda params: (params[:, None] @ params[None]).sum()), jax.numpy.ones(10**6), ()
"""


@pytest.fixture(autouse=True)
def _own_module(tmp_path, monkeypatch):
    (tmp_path / "own_model.py").write_text(MODEL)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)


def test_a_run_is_written_opened_and_drawn(tmp_path, capsys):
    assert main(["probe", "own_model:make", "--seeds", "2", "--run", "mine"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("healthy: ")
    assert told.out.splitlines()[-1] == "results/mine"
    assert "next: python -m analysis probe results/mine" in told.err
    run = bench.open(tmp_path / "results" / "mine")
    assert run.kind == "probe"
    assert len(run.cells) == 2
    assert run.layers["path"].nunique() * 2 == len(run.layers)
    assert not np.isclose(*run.layers.groupby("seed")["log10_grad"].sum())  # the keys are two
    assert plot(["probe", "results/mine"]) == 0
    assert (tmp_path / "results" / "mine" / "probe.png").stat().st_size > 10_000
    assert main(["probe", "own_model:make", "--seeds", "2", "--run", "mine", "--apart", "2"]) == 2
    assert "holds another probe (thresholds differ)" in capsys.readouterr().err


def test_without_a_name_nothing_is_written(tmp_path, capsys):
    assert main(["probe", "own_model:make"]) == 0
    assert "layers.kernel[0]" in capsys.readouterr().out
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("raises", "it raised RuntimeError: no weights"),
        ("wrong", "it returned one function"),
        ("fails", "its loss(params, *args) raised "),
        ("vector", "its loss: got 'float32[4, 8]', expected one float"),
        ("whole", "its params: got "),
        ("lacking", "AttributeError: module 'own_model' has no attribute 'lacking'"),
        ("X", "of a callable (this one is of type "),
        ("leaves", "it raised SystemExit: 3"),
        ("nothing", "it returned one NoneType"),
        ("array", "it returned (function, dict, ArrayImpl)"),
        ("needs", "missing 1 required positional argument: 'width'"),
        ("kinds", "its loss(params, *args) raised TypeError: dot_general requires "),
        ("beside", "its loss: got ('float32[]', "),
        ("python", "its params: got PyTreeDef({'rate': *}), expected a pytree with at least one array of floats"),
        ("concrete", "its loss(params, *args) raised ConcretizationTypeError"),
        ("gone", "Array has been deleted"),
        ("far", "its params: got '1,000,000 floats', expected what fits into "),
    ],
)
def test_what_cannot_be_probed_is_one_line(name, words, capsys):
    assert main(["probe", f"own_model:{name}"]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.err.count("\n") == 1
    assert told.err.startswith(f"bench probe: error: MODULE:MAKE: got 'own_model:{name}', expected ")
    assert not told.out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("own_model", "package.module:function"),
        (":make", "Empty module name"),
        ("no_such_model:make", "ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_found_is_one_line(name, words, capsys):
    assert main(["probe", name]) == 2
    told = capsys.readouterr()
    assert (words in told.err, told.err.count("\n"), told.out) == (True, 1, "")
    assert main(["probe", "own_model:make", "--nonlinear", "ignore"]) == 2
    assert capsys.readouterr().err == "bench probe: error: --nonlinear: got 'ignore', expected one of refuse, evaluate\n"


def test_seeds_need_a_key(capsys):
    assert main(["probe", "own_model:wrong", "--seeds", "2"]) == 2
    assert "--seeds: got 2, expected 1, or a function own_model:wrong(key)" in capsys.readouterr().err
