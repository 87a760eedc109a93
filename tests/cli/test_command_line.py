"""``python -m bench`` as a user meets it."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bench.cli.main import main

SMALL = ["--depths", "2:20:4log", "--scales", "0.5:1.5:3", "--widths", "4", "--seeds", "2", "--no-layers"]
OWN = """
import jax

def init(key, shape, dtype):
    return jax.random.normal(key, shape, dtype) * 1e-30

def act(z):
    return z / (1 + abs(z))
"""


def bench(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_sweep_of_the_users_own_scheme_from_a_folder_of_theirs(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    own = ["--initializers", "mine:init", "--activations", "mine:act", "linear"]
    done = bench("sweep", "--run", "own", *own, *SMALL, folder=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "results/own")
    assert done.stderr.splitlines()[-1] == "next: python -m analysis heatmap results/own"
    assert done.stderr.splitlines()[-2].startswith(f"{4 * 3 * 2 * 2:,} cells in ")
    assert "\r" not in done.stderr
    cells = pd.read_parquet(tmp_path / "results" / "own" / "cells")
    deep = cells[cells.depth == 20]
    assert len(cells) == 4 * 3 * 2 * 2
    # eighteen factors of 10^-30: far outside float32, and a number all the same
    assert deep.log10_grad_first.between(-30 * 18 - 40, -30 * 18 + 40).all()
    assert sorted(path.name for path in (tmp_path / "results" / "own").iterdir()) == ["cells", "manifest.json"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--depths", "1"], ["--depths", "1", "≥ 2"]),
        (["--depths", "2.5"], ["--depths", "2.5", "whole"]),
        (["--depths", "9:3:4"], ["--depths", "9:3:4", "at most"]),
        (["--widths", "0"], ["--widths", "0"]),
        (["--scales", "-1"], ["--scales", "-1"]),
        (["--scales", "nan"], ["--scales", "nan"]),
        (["--scales", "inf"], ["--scales", "inf"]),
        (["--scales"], ["--scales", "at least one"]),
        (["--seeds", "0"], ["--seeds", "0"]),
        (["--seeds", "many"], ["--seeds", "many"]),
        (["--bias-stds", "-0.1"], ["--bias-stds", "-0.1"]),
        (["--initializers", "gausian"], ["--initializers", "gausian", "did you mean gaussian"]),
        (["--activations", "rleu"], ["--activations", "rleu", "did you mean relu"]),
        (["--loss", "hinge"], ["--loss", "hinge", "mse"]),
        (["--dtype", "bfloat16"], ["--dtype", "bfloat16", "float32"]),
        (["--key", "-3"], ["--key", "-3"]),
        (["--run", "../elsewhere"], ["--run", "../elsewhere"]),
        (["--scale", "1"], ["--scale", "--scales"]),
        (["nopreset"], ["preset", "nopreset", "smoke"]),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    status = main(["sweep", *arguments])
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    for word in words:
        assert word in printed.err
    assert list(tmp_path.iterdir()) == []


def test_help_and_list_teach(capsys):
    for arguments in (["--help"], ["sweep", "--help"]):
        assert main(arguments) == 0
    text = capsys.readouterr().out
    for word in ("--initializers", "--bias-stds", "2:852:32log", "0.5:1.5:41", "example"):
        assert word in text
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    for name in ("orthogonal", "standard_uniform", "hard_tanh", "sine", "lecture", "atlas", "smoke"):
        assert name in listed


def test_a_results_folder_that_is_a_file_is_refused(tmp_path, capsys):
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    assert main(["sweep", "--results", str(blocked), *SMALL]) == 2
    assert capsys.readouterr().err.startswith("bench sweep: error: --results: ")


NOTHING = """
import jax.numpy as jnp

def nan(key, shape, dtype):
    return jnp.full(shape, jnp.nan, dtype)

def flat(z):
    return 0 * z
"""
COMPARE = ["compare", "--depths", "2", "9", "--widths", "4", "--seeds", "3", "--isometry-seeds", "1"]


def test_a_comparison_with_schemes_and_functions_that_give_nothing(tmp_path, monkeypatch, capsys):
    """NaN weights, a constant activation and dead networks are rows, neither exceptions nor warnings."""
    (tmp_path / "gives_nothing.py").write_text(NOTHING)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    schemes = ["--initializers", "gives_nothing:nan", "he_normal", "--activations", "relu", "gives_nothing:flat"]
    assert main([*COMPARE, "--run", "odd", *schemes, "--scales", "0", "1", "1e300"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "results/odd"
    assert "Warning" not in printed.err
    table = pd.read_csv(tmp_path / "results" / "odd" / "table.csv")
    assert len(table) == 2 * 2 * 3
    assert (table[table.initializer == "gives_nothing:nan"].verdict == "undefined").all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "--from", "nowhere"], ["--from", "nowhere"]),
        (["compare", "--from", "nowhere", "--seeds", "3"], ["--seeds", "3", "--from"]),
        (["compare", "--rank-by", "slop"], ["--rank-by", "'slop'", "did you mean slope"]),
        (["compare", "--isometry-seeds", "-1"], ["--isometry-seeds"]),
        (["compare", "--depths", "2"], ["--depths", "2"]),
        (["compare", "--columns", "slop"], ["--columns", "slop"]),
        (["theory", "--activations", "nope"], ["--activations", "nope"]),
        (["theory", "--csv", "no/such/folder.csv"], ["--csv", "no/such/folder.csv"]),
    ],
)
def test_bad_comparisons_are_refused_in_one_line(capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    status = main(arguments)
    lines = capsys.readouterr().err.strip().splitlines()
    assert (status, len(lines)) == (2, 1)
    assert all(word in lines[0] for word in words)
    assert not list(tmp_path.iterdir())


def test_a_comparison_of_a_run_that_cannot_be_read(capsys, tmp_path):
    where = ["--run", "one", "--results", str(tmp_path)]
    assert main([*COMPARE, *where, "--initializers", "he_normal", "--activations", "relu"]) == 0
    assert (tmp_path / "one" / "table.md").exists()
    for shard in (tmp_path / "one" / "cells").iterdir():
        shard.write_text("junk")
    capsys.readouterr()
    assert main(["compare", "--from", str(tmp_path / "one")]) == 2
    assert "--from" in capsys.readouterr().err


def test_theory_predicts_at_finite_width_or_says_why_not(capsys):
    assert main(["theory", "--activations", "gelu", "--scales", "1", "1.6", "--depths", "50", "--widths", "64"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("gaussian", "orthogonal"))]
    assert [line.endswith("leading order") for line in lines] == [True, False, True, False]
    assert all("unstable fixed point" in line for line in lines[1::2])


def test_theory_prints_its_table_at_any_number(capsys, tmp_path):
    table = tmp_path / "table.csv"
    assert (
        main(["theory", "--activations", "tanh", "softplus", "--scales", "0", "1e-300", "1", "1e300", "--csv", str(table)])
        == 0
    )
    assert "no critical point" in capsys.readouterr().out
    assert len(pd.read_csv(table)) == 8
