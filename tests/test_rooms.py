"""The house: a room imports only from rooms below it, and a file holds one idea."""

import ast
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
# From the ground up: what each room may import, beside itself.
FLOORS = [
    {"bench.theory", "bench.settings"},
    {"bench.terminal", "bench.arithmetic"},
    {"bench.networks"},
    {"bench.engine"},
    {"bench.runs"},
    {"bench.sweeps", "bench.training", "bench.probing"},
    {"bench.comparison", "bench.precision"},
    {"bench.interface"},
    {"bench.cli"},
]
NO_ROOM_BELOW = {"bench.theory", "bench.settings"}
LOOKING = {
    "analysis.rows": {"bench.settings", "bench.terminal", "bench.runs"},
    "analysis.numbers": {"analysis.rows", "bench.settings", "bench.terminal", "bench.theory"},
    "analysis.drawing": {"analysis.rows", "analysis.numbers", "bench.settings", "bench.theory", "bench.runs"},
    "analysis.figures": {"analysis.rows", "analysis.numbers", "analysis.drawing", "bench.settings", "bench.theory"},
    "analysis.papers": {"analysis.rows", "analysis.numbers", "analysis.drawing", "analysis.figures"}
    | {"bench", "bench.settings", "bench.terminal", "bench.theory", "bench.runs"},  # bench: its public names
    "analysis.report": {"analysis.rows", "analysis.numbers", "analysis.drawing", "bench.settings", "bench.runs"},
    "analysis.cli": {"analysis.rows", "analysis.numbers", "analysis.drawing", "analysis.figures", "analysis.papers"}
    | {"analysis.report", "bench.settings", "bench.terminal"},
}
FILES = [*(ROOT / "bench").rglob("*.py"), *(ROOT / "analysis").rglob("*.py")]
LONGEST, LONGEST_MEDIAN = 250, 130


def allowed() -> dict[str, set[str]]:
    found = dict(LOOKING)
    below: set[str] = set()
    for floor in FLOORS:
        found |= {room: set() if room in NO_ROOM_BELOW else set(below) for room in floor}
        below |= floor
    return found


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def imported(path: Path) -> set[str]:
    """Modules of the project that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} if "." in node.module else {f"{node.module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return {module for module in found if module.split(".")[0] in ("bench", "analysis")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_room_imports_only_from_rooms_below_it(path):
    room = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if room in ("bench.__init__", "bench.__main__", "analysis.__init__", "analysis.__main__"):
        return
    upward = {module for module in imported(path) if room_of(module) not in allowed()[room] | {room}}
    assert not upward


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_is_one_idea(path):
    assert len(path.read_text().splitlines()) <= LONGEST


def test_half_of_the_files_are_short():
    assert median(len(path.read_text().splitlines()) for path in FILES) <= LONGEST_MEDIAN


def test_nothing_lies_beside_the_rooms():
    for house in ("bench", "analysis"):
        assert {path.name for path in (ROOT / house).glob("*.py")} == {"__init__.py", "__main__.py"}
