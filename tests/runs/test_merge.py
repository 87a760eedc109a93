"""``runs merge`` and ``runs remove``: what they make, refuse and leave alone."""

import errno
import fcntl
import io
import json
import os
import sys
from pathlib import Path

import pytest

from bench.cli.main import main
from bench.runs.folder import RunFolder
from bench.runs.overview import overview, verified
from tests.runs.stand_in import filled, folder, partly


def runs(capsys, results, *words: str, status: int = 0) -> str:
    assert main(["runs", *words, "--results", str(results)]) == status
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.out + said.err


def change(folder, change) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_one_run_has_what_all_of_them_have(tmp_path, capsys):
    whole = filled(tmp_path, "whole")
    partly(tmp_path, "a", {0, 1, 4})
    partly(tmp_path, "b", {1, 2})
    said = runs(capsys, tmp_path, "merge", "a", "b", "--run", "c")
    assert "merged: 4 of 6 chunks (3 of a, 1 of b)" in said
    assert "this measures the rest: depthscale sweep --run c" in said
    assert overview(tmp_path / "c").state == "unfinished"
    partly(tmp_path, "d", {3, 5})
    assert "merged: 6 of 6" in runs(capsys, tmp_path, "merge", "d", "c", "--run", "c")
    assert overview(tmp_path / "c").state == "finished"
    assert verified(tmp_path / "c") == (12, [])
    for path in whole.rglob("*.parquet"):
        assert (tmp_path / "c" / path.relative_to(whole)).read_bytes() == path.read_bytes()
    assert len(json.loads((tmp_path / "c" / "manifest.json").read_text())["resumed"]) >= 2
    assert filled(tmp_path, "c") == tmp_path / "c"  # it is a run like any other


def test_what_is_damaged_or_half_is_not_taken(tmp_path, capsys):
    for name in ("a", "b"):
        partly(tmp_path, name, {0, 1})
    (tmp_path / "a" / "layers" / "chunk-00000.parquet").write_bytes(b"")
    (tmp_path / "a" / "cells" / "chunk-00001.parquet").unlink()
    assert "(2 of b)" in runs(capsys, tmp_path, "merge", "a", "b", "--run", "c")


def test_shards_that_are_whole_nowhere_are_told_and_nothing_is_made_of_nothing(tmp_path, capsys):
    shard, other = "cells/chunk-00000.parquet", "layers/chunk-00001.parquet"
    for name in ("a", "b"):
        partly(tmp_path, name, {0, 1})
        (tmp_path / name / shard).write_bytes(b"")
    said = runs(capsys, tmp_path, "merge", "a", "b", "--run", "c")
    assert "merged: 1 of 6 chunks (1 of a)" in said
    assert f"damaged, and whole in no other run: 2 shards (a/{shard}, b/{shard})" in said
    for name in ("a", "b"):
        (tmp_path / name / other).write_bytes(b"")
    said = runs(capsys, tmp_path, "merge", "a", "b", "--run", "d", status=2)
    assert f"a and b cannot be merged: none has a chunk that is whole (4 shards are damaged: a/{shard}, b/{shard}, " in said
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("differ", "words"),
    [
        (lambda manifest: manifest["sweep"].update(depths=[2, 4]), "depths differs, [2, 3] and [2, 4]"),
        (lambda manifest: manifest["versions"].update(jax="0.1"), "jax differs, "),
        (lambda manifest: manifest.update(resumed=[{"versions": {}, "device": {}}]), "differs, "),
        (lambda manifest: manifest["device"].update(kind="abacus"), "the device's kind differs, cpu and abacus"),
        (lambda manifest: manifest["plan"].pop(), "cut into other chunks"),
        (lambda manifest: manifest.update(probe={}) or manifest.pop("sweep"), "a sweep and a probe"),
    ],
)
def test_other_runs_are_refused_with_the_difference(tmp_path, capsys, differ, words):
    partly(tmp_path, "a", {0})
    change(partly(tmp_path, "b", {1}), differ)
    said = runs(capsys, tmp_path, "merge", "a", "b", "--run", "c", status=2)
    assert "a and b cannot be merged" in said
    assert words in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "c").exists()


def test_chunks_that_are_not_the_same_to_the_bit_are_refused(tmp_path, capsys):
    partly(tmp_path, "a", {0})
    other = partly(tmp_path, "b", {0, 1})
    shard, same = "cells/chunk-00000.parquet", "cells/chunk-00001.parquet"
    (other / shard).write_bytes((other / same).read_bytes())
    lines = [json.loads(line) for line in (other / "shards.jsonl").read_text().splitlines()]
    digest = next(line["sha256"] for line in lines if line["shard"] == same)
    lines = [{**line, "sha256": digest} if line["shard"] == shard else line for line in lines]
    (other / "shards.jsonl").write_text("\n".join(map(json.dumps, lines)))
    said = runs(capsys, tmp_path, "merge", "a", "b", "--run", "c", status=2)
    assert f"{shard} is another in each, to the bit" in said


def test_the_second_of_two_merges_is_told(tmp_path, capsys, monkeypatch):
    partly(tmp_path, "a", {0})
    partly(tmp_path, "b", {1})
    adopt, said = RunFolder.adopt, []

    def adopted(self, *given):
        if not said:
            said.append(runs(capsys, tmp_path, "merge", "a", "b", "--run", "c", status=2))
        adopt(self, *given)

    monkeypatch.setattr(RunFolder, "adopt", adopted)
    assert "merged: 2 of 6" in runs(capsys, tmp_path, "merge", "a", "b", "--run", "c")
    assert "is writing" in said[0]
    assert verified(tmp_path / "c") == (4, [])


def test_remove_asks_first(tmp_path, capsys, monkeypatch):
    filled(tmp_path)
    assert "--yes" in runs(capsys, tmp_path, "remove", "mine", status=2)  # there is no terminal

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert "30 cells" in runs(capsys, tmp_path, "remove", "mine", status=1)
    assert (tmp_path / "mine" / "manifest.json").exists()
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    runs(capsys, tmp_path, "remove", "mine")
    assert not (tmp_path / "mine").exists()
    assert "not a run" in runs(capsys, tmp_path, "remove", "mine", "--yes", status=2)


def test_a_run_that_is_written_and_files_of_others_are_not_removed(tmp_path, capsys):
    filled(tmp_path)
    held = folder(tmp_path)
    assert "is writing" in runs(capsys, tmp_path, "remove", "mine", "--yes", status=2)
    held.close()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    assert "thesis.txt" in runs(capsys, tmp_path, "remove", "mine", "--yes", status=2)


@pytest.mark.parametrize("asked", [["runs", "remove", "mine", "--yes"], ["sweep", "--run", "mine", "--overwrite"]])
@pytest.mark.parametrize("held", ["by its parent", "by a folder of its own"])
def test_what_may_not_be_removed_stays_whole(tmp_path, capsys, monkeypatch, asked, held):
    path = filled(tmp_path)
    before = {each: each.read_bytes() for each in path.rglob("*") if each.is_file()}

    def refused(self, _target):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    if held == "by its parent":
        monkeypatch.setattr(Path, "rename", refused)
    else:  # who runs the tests may do anything
        monkeypatch.setattr(os, "access", lambda asked, _mode: not str(asked).endswith("layers"))
    assert main([*asked, "--results", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "mine cannot be removed: " in line
    assert {each: each.read_bytes() for each in path.rglob("*") if each.is_file()} == before


@pytest.mark.parametrize("next_one", ["run", "removal"])
def test_what_a_kill_leaves_of_a_removed_run_is_none_and_is_removed_by_whoever_writes_next(tmp_path, capsys, next_one):
    if next_one == "removal":
        filled(tmp_path, "other")
    filled(tmp_path).rename(tmp_path / ".writing-removed-0a1b2c3d-mine")
    (tmp_path / ".writing-removed-0a1b2c3d-link").symlink_to(filled(tmp_path / "elsewhere"))
    others = ".writing-removed-mythesis", ".writing-removed-0a1b2c3d-thesis"  # folders of a user's own
    for name in others:
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.tex").write_text("years of work")
    assert "mine" not in runs(capsys, tmp_path, status=0 if next_one == "removal" else 2)
    if next_one == "removal":
        runs(capsys, tmp_path, "remove", "other", "--yes")
    else:
        filled(tmp_path, "new")
    kept = {path.name for path in tmp_path.iterdir()} - {"new"}
    assert kept == {"elsewhere", ".writing-removed-0a1b2c3d-link", *others}  # no link of anybody's is followed
    assert list((tmp_path / "elsewhere").rglob("*.parquet"))
    assert all((tmp_path / name / "thesis.tex").exists() for name in others)


def test_what_another_process_is_removing_is_let_be(tmp_path):
    going = tmp_path / ".writing-removed-0a1b2c3d-mine"
    filled(tmp_path).rename(going)
    handle = os.open(going, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    filled(tmp_path)
    assert list(going.rglob("*.parquet"))
    os.close(handle)
    filled(tmp_path)
    assert not going.exists()


def test_a_name_as_shells_complete_it_is_the_run_and_a_path_elsewhere_is_none(tmp_path, capsys):
    other, results = filled(tmp_path / "other", "one"), tmp_path / "results"
    filled(results, "one")
    for name in ("../other/one", "..", "."):
        assert "NAME: got" in runs(capsys, results, "remove", name, "--yes", status=2)
    assert "merge NAME NAME" in runs(capsys, results, "merge", "one", "one/", "--run", "z", status=2)
    assert "removed" in runs(capsys, results, "remove", "one/", "--yes")
    assert not (results / "one").exists()
    assert other.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a", "b"], "NAME: got 'a b', expected one run, or merge NAME NAME … --run NAME, or remove NAME"),
        (["merge"], "NAME: got 'merge', expected merge NAME NAME … --run NAME: two runs or more"),
        (["merge", "a", "--run", "c"], "NAME: got 'merge a', expected merge NAME NAME"),
        (["merge", "a", "a", "--run", "c"], "NAME: got 'merge a a', expected merge NAME NAME"),
        (["merge", "a", "b"], "NAME: got 'merge a b', expected merge NAME NAME … --run NAME"),
        (["remove"], "NAME: got 'remove', expected remove NAME: one run"),
        (["remove", "a", "b", "--yes"], "NAME: got 'remove a b', expected remove NAME: one run"),
        (["a", "--yes"], "--yes: it goes with remove NAME, and with nothing else"),
        (["--run", "c"], "--run: it goes with merge NAME, and with nothing else"),
        (["remove", "a", "--verify"], "--verify: it does not go with remove"),
    ],
)
def test_words_that_go_together_with_nothing_are_one_line(tmp_path, capsys, words, said):
    told = runs(capsys, tmp_path, *words, status=2)
    assert said in told
    assert len(told.splitlines()) == 1
