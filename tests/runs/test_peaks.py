"""What a plan expects of memory is what runs hold at their peak, within a factor of 1.5 either way."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs.peaks import SWEEPS, TRAININGS

WITHIN = 1.5
QUICK = ("tall", "layers")  # of the same programs
needs_linux = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks are read as Linux tells them")


def check(*names: str) -> None:
    command = [sys.executable, "-m", "tests.runs.peaks", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, *_ in found] == list(names)
    off = [line for line in found if not 1 / WITHIN <= line[3] <= WITHIN]
    assert not off, "name, MB expected, MB measured, their ratio"


@needs_linux
def test_narrow_sweeps_need_what_was_expected():
    check(*QUICK)


@needs_linux
@pytest.mark.thorough
@pytest.mark.parametrize("name", [name for name in (*SWEEPS, *TRAININGS) if name not in QUICK])
def test_other_runs_need_what_was_expected(name):
    check(name)
