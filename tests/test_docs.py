"""The pages: their links lead somewhere, the API's is what the docstrings say, and the lesson is kept without outputs."""

import json
import re
import runpy
import shlex
from pathlib import Path

import pytest

from analysis.cli.main import build_parser as figures
from bench.cli.main import build_parser

ROOT = Path(__file__).parents[1]
RULES = re.MULTILINE | re.DOTALL
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchors(page: Path) -> set[str]:
    """Headings as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_that_exist(page):
    for link in re.findall(r"(?<!\")\]\(([^)\s]+)\)", page.read_text()):  # and not weights["W"](h)
        target, _, anchor = link.partition("#")
        assert not target.startswith("http")
        found = (page.parent / target) if target else page
        assert found.exists(), link
        assert not anchor or anchor in anchors(found), link


def test_the_readme_is_one_screen_and_the_index_names_every_page():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
    index = (ROOT / "docs" / "README.md").read_text()
    for page in [*PAGES[1:], ROOT / "docs" / "lesson.ipynb"]:
        assert page.name == "README.md" or f"]({page.name})" in index


def test_the_five_lines_of_the_readme_run(tmp_path, monkeypatch, capsys):
    block = re.findall(r"^```python\n(import bench\n.*?)^```", (ROOT / "README.md").read_text(), RULES)[0]
    monkeypatch.chdir(tmp_path)
    exec(block, {})
    assert "852" in capsys.readouterr().out
    assert (tmp_path / "results" / "first" / "manifest.json").exists()
    assert (tmp_path / "first.png").stat().st_size > 10_000


def test_every_command_of_the_pages_is_one_that_the_command_line_takes(capsys):
    """Each is parsed, not run; figures by their own command line."""
    blocks = [block for page in PAGES for block in re.findall(r"^```console\n(.*?)^```", page.read_text(), RULES)]
    commands = [line for block in blocks for line in re.findall(r"^(?:\.venv/bin/)?depthscale .*$", block, re.MULTILINE)]
    assert len(commands) > 20
    for line in commands:
        _, *words = shlex.split(line, comments=True)
        if words[0] == "--print-completion":
            continue
        parser = figures(prog="depthscale plot") if words[0] == "plot" else build_parser()
        parser.parse_strictly(words[1:] if words[0] == "plot" else words)
    assert not capsys.readouterr().err


def test_the_page_of_public_names_is_what_the_docstrings_say():
    page = runpy.run_path(str(ROOT / "docs" / "api.py"))["page"]
    assert (ROOT / "docs" / "api.md").read_text() == page(), "make api"


def test_the_lesson_is_kept_without_outputs():
    cells = json.loads((ROOT / "docs" / "lesson.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 5
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
