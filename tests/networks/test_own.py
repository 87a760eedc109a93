"""Callables of the user's own that fail where it hurts."""

import pytest

from bench.cli.main import main

FAILING = """
def init(key, shape, dtype):
    if shape[0] > 4:
        raise RuntimeError("no such size\\nand more")
    import jax
    return jax.random.normal(key, shape, dtype)

def phi(z):
    if z.shape[-1] == 8:
        raise LookupError("eight is too many")
    return z
"""


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--initializers", "failing_at_width:init"], ["--initializers", "RuntimeError: no such size", "[8, 8]"]),
        (["--activations", "failing_at_width:phi"], ["--activations", "LookupError: eight is too many"]),
    ],
)
def test_what_fails_at_the_real_width_is_told_in_the_users_words(tmp_path, monkeypatch, capsys, option, words):
    (tmp_path / "failing_at_width.py").write_text(FAILING)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["sweep", "--widths", "8", "--depths", "2", "5", "--seeds", "1", *option]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert all(word in told for word in words)


def test_what_fails_only_when_it_is_asked_again_is_told_so_too(tmp_path, monkeypatch, capsys):
    counting = "calls = []\ndef init(key, shape, dtype):\n    calls.append(shape)\n    import jax\n"
    failing = "    if len(calls) > 1:\n        raise OSError('gone')\n    return jax.random.normal(key, shape, dtype)\n"
    (tmp_path / "failing_later.py").write_text(counting + failing)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["sweep", "--widths", "8", "--depths", "2", "--seeds", "1", "--initializers", "failing_later:init"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "OSError: gone" in told
