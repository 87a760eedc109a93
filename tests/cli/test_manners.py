"""The command line as a process in rough hands: signals, closed and full streams, no home."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tolerance import own_programs

ROOT = Path(__file__).parents[2]
SMALL = ["sweep", "--depths", "2", "--scales", "1", "--seeds", "1", "--widths", "4"]
LONG = ["sweep", "--depths", "2:900:30log", "--scales", "0.5:2:64", "--widths", "256", "--seeds", "64"]


def start(folder: Path, *words: str, **options) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("env", {})
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background jobs, whose children inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen([sys.executable, "-m", "bench", *words], cwd=folder, env=environment, text=True, **pipes)


def shell(folder: Path, line: str) -> subprocess.CompletedProcess:
    command = line.replace("BENCH", f"{sys.executable} -m bench")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("which", "after"),
    [
        (signal.SIGINT, 0.4),
        (signal.SIGINT, 1.0),
        pytest.param(signal.SIGINT, 2.0, marks=pytest.mark.thorough),
        (signal.SIGTERM, 0.7),
        pytest.param(signal.SIGTERM, 3.0, marks=pytest.mark.thorough),
    ],
)
def test_an_interrupt_is_one_line_and_130_whenever_it_comes(tmp_path, which, after):
    process = start(tmp_path, *LONG, env={"JAX_COMPILATION_CACHE_DIR": own_programs(tmp_path)})
    time.sleep(after)
    began = time.monotonic()
    process.send_signal(which)
    try:
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert time.monotonic() - began < 3
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1].endswith("interrupted; the same command finishes the rest") or err == "bench: interrupted\n"
    assert "Traceback" not in err


@pytest.mark.thorough
def test_streams_that_are_closed_or_full_stop_no_measurement(tmp_path):
    words = " ".join(SMALL)
    for name, redirection in (("closed", "2>&-"), ("full", "2>/dev/full")):
        done = shell(tmp_path, f"BENCH {words} --run {name} {redirection}")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"results/{name}\n", "")
        assert list((tmp_path / "results" / name / "cells").iterdir())
    full = shell(tmp_path, "BENCH list >/dev/full")
    assert (full.returncode, full.stderr) == (1, "bench list: error: No space left on device\n")
    piped = shell(tmp_path, "set -o pipefail; BENCH list | head -1")
    assert (piped.returncode, piped.stdout, piped.stderr) == (0, "initializers:\n", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [("JAX_PLATFORMS", "cuda"), ("JAX_PLATFORMS", "nonsense"), ("JAX_NUM_CPU_DEVICES", "abc"), ("JAX_NUM_CPU_DEVICES", "0")],
)
def test_what_jax_does_not_start_with_is_one_line(tmp_path, name, value):
    process = start(tmp_path, *SMALL, env={name: value})
    out, err = process.communicate()
    assert (process.returncode, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"bench sweep: error: {name}: got {value!r}")
    assert not list(tmp_path.iterdir())


def test_neither_home_nor_a_cache_folder_is_needed(tmp_path, monkeypatch):
    from bench.cli import surroundings

    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/cache")
    monkeypatch.chdir(tmp_path)
    assert surroundings.cache_folder() is None
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert surroundings.cache_folder() == tmp_path / "depthscale"


def test_a_cache_folder_that_cannot_be_written_is_one_line(tmp_path):
    process = start(tmp_path, *SMALL, "--quiet", env={"JAX_COMPILATION_CACHE_DIR": "/proc/x"})
    out, err = process.communicate()
    assert (process.returncode, out) == (0, "results/sweep\n")
    assert err == "JAX_COMPILATION_CACHE_DIR: '/proc/x' cannot be written; compiled programs are not kept\n"


def test_a_module_that_leaves_python_is_refused(tmp_path):
    (tmp_path / "leaver.py").write_text("raise SystemExit(0)\n")
    process = start(tmp_path, *SMALL, "--initializers", "leaver:init")
    _, err = process.communicate()
    assert process.returncode == 2
    assert "leaver:init" in err
    assert "SystemExit" in err
