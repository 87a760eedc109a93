"""What cannot fit into a machine is refused in one line, at once, and nothing is written."""

import time

import pytest

import bench
from bench.cli.main import main
from bench.runs import memory
from bench.sweeps import needs
from bench.training import needs as training


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sweep", "--widths", "1000000"], ["--widths", "1000000", "GB"]),
        (["sweep", "--depths", "1000000"], ["--depths", "1000000", "GB"]),
        (["sweep", "--depths", "2", "1000000", "--widths", "4096"], ["--depths", "1000000", "GB"]),
        (["sweep", "--depths", "20000", "--widths", "1024", "--seeds", "1000000"], ["chunks"]),
        (["sweep", "--seeds", "1000000", "--depths", "2", "10000"], ["chunks"]),
        (["train", "--widths", "1000000"], ["--widths", "1000000", "GB"]),
        (["train", "--depths", "1000000", "--widths", "1000"], ["--depths", "1000000", "GB"]),
        (["train", "--steps", "10000000", "--seeds", "100000"], ["--steps", "GB"]),
        (["train", "--seeds", "1000000", "--depths", "300", "--widths", "256"], ["chunks"]),
    ],
)
def test_what_cannot_fit_is_one_line_at_once(tmp_path, capsys, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    for module in (memory, needs, training):
        monkeypatch.setattr(module, "host_bytes", lambda: 16 * 10**9)
    began = time.monotonic()
    assert main(arguments) == 2
    assert time.monotonic() - began < 20
    (line,) = capsys.readouterr().err.splitlines()
    for word in words:
        assert word in line
    assert list(tmp_path.iterdir()) == []


def test_what_the_presets_ask_for_fits_into_little(monkeypatch):
    for module in (memory, needs, training):
        monkeypatch.setattr(module, "host_bytes", lambda: 4 * 10**9)
    for preset in bench.PRESETS.values():
        needs.check_fits(preset.sweep)
    for preset in bench.TRAININGS.values():
        training.check_room_for(preset.training)


def test_the_machine_s_memory_is_its_container_s(tmp_path, monkeypatch):
    assert memory.host_bytes() > 0
    (tmp_path / "limit").write_text("12345\n")
    (tmp_path / "none").write_text("max\n")
    monkeypatch.setattr(memory, "CGROUPS", (str(tmp_path / "none"), str(tmp_path / "limit"), str(tmp_path / "absent")))
    assert memory.host_bytes() == 12345
