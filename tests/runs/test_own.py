"""What a user brings along fails in one line, with the user's own words, before anything is written."""

import sys

import jax
import jax.numpy as jnp
import pytest

from bench.cli.main import main


def only_small(key, shape, dtype):
    if max(shape) > 8:
        raise RuntimeError("eight is enough\nreally")
    return jax.random.normal(key, shape, dtype)


def only_float32(z):
    if z.dtype != jnp.float32:
        raise RuntimeError("single precision, please")
    return jnp.tanh(z)


def only_narrow(z):
    if z.shape[-1] > 8:
        sys.exit("too wide")
    return jnp.tanh(z)


def leaves(key, shape, dtype):
    del key, shape, dtype
    sys.exit(5)


PLACE = __name__


@pytest.mark.parametrize("command", ["sweep", "train"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--initializers", "gaussian", f"{PLACE}:only_small"], ["--initializers", "RuntimeError: eight is enough"]),
        (["--activations", "tanh", f"{PLACE}:only_float32", "--dtype", "float64"], ["--activations", "single precision"]),
        (["--activations", "tanh", f"{PLACE}:only_narrow"], ["--activations", "SystemExit: too wide"]),
        (["--initializers", f"{PLACE}:leaves"], ["--initializers", "SystemExit: 5"]),
    ],
)
def test_it_fails_before_the_run_and_in_its_own_words(tmp_path, monkeypatch, capsys, command, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert main([command, "--widths", "4", "16", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


def test_a_module_that_leaves_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["sweep", "--activations", "leaving:f", "--results", str(tmp_path / "results")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "leaving:f" in line
    assert "SystemExit" in line
    assert not (tmp_path / "results").exists()
