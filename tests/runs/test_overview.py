"""``depthscale runs``: what there is, how much of it is done, and what is not what was written."""

import json
import shutil

import pytest

from bench.cli.main import main
from bench.runs.overview import overview, verified
from bench.settings.units import ago, amount

SHARD = "cells/chunk-00000.parquet"


def told(capsys, *words: str, status: int = 0) -> list[str]:
    assert main(["runs", *words]) == status
    return capsys.readouterr().out.splitlines()


def test_every_run_has_a_line_and_one_is_told_whole(mine, capsys):
    (mine.parent / "other").mkdir()
    (mine.parent / "other" / "manifest.json").write_text("[]")
    rows = json.loads((mine / "manifest.json").read_text())["shards"][SHARD]["rows"]
    titles, run, other = told(capsys, "--results", str(mine.parent))
    assert titles.split() == ["run", "kind", "chunks", "cells", "state", "device", "size", "ended"]
    assert run.split()[:2] == ["mine", "sweep"]
    assert f"{overview(mine).rows:,}" in run
    assert overview(mine).rows >= rows
    assert "finished" in run
    assert other.startswith("other  cannot be read: it describes no")
    whole = told(capsys, "mine", "--results", str(mine.parent))
    assert whole[-1].startswith("  state: finished, ")
    assert any(line.split()[:1] == ["depths"] for line in whole)


def test_a_run_that_lacks_shards_says_so(mine, capsys):
    assert overview(mine).state == "finished"
    manifest = json.loads((mine / "manifest.json").read_text())
    (mine / "manifest.json").write_text(json.dumps(manifest | {"shards": None}))
    assert overview(mine).state == "shards missing"  # none of those that are there is known to be what was written
    (mine / "manifest.json").write_text(json.dumps(manifest))
    (mine / SHARD).unlink()
    assert overview(mine).state == "shards missing"
    shutil.rmtree(mine / "cells")
    assert overview(mine).state == "figures only"
    manifest = json.loads((mine / "manifest.json").read_text())
    (mine / "manifest.json").write_text(json.dumps(manifest | {"finished": None}))
    assert overview(mine).state == "unfinished"
    (mine / "manifest.json").write_text(json.dumps(manifest | {"finished": "2020-01-01T00:00:00"}))
    assert told(capsys, "--results", str(mine.parent))[-1].endswith("days ago")


@pytest.mark.parametrize("damage", ["cut", "swapped"])
def test_damage_is_found_and_exits_1(mine, capsys, damage):
    checked, damaged = verified(mine)
    assert checked == len(list(mine.rglob("*.parquet")))
    assert damaged == []
    assert told(capsys, "mine", "--results", str(mine.parent), "--verify")[-1].startswith(f"verified: {checked} shards")
    if damage == "cut":
        (mine / SHARD).write_bytes((mine / SHARD).read_bytes()[:-9])
    else:
        shutil.copy(mine / "cells/chunk-00001.parquet", mine / SHARD)
    assert verified(mine)[1] == [SHARD]
    assert SHARD in told(capsys, "--results", str(mine.parent), "--verify", status=1)[-1]


def test_amounts_are_in_their_largest_unit():
    assert [amount(9), amount(12_345), amount(3e12)] == ["9 bytes", "12.3 kB", "3 TB"]
    assert [ago(3), ago(61), ago(7300), ago(200_000)] == ["just now", "1 minute ago", "2 hours ago", "2 days ago"]
