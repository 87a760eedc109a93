"""The command: what it writes, what it refuses, and that names in a paper are never markup."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.cli.main import main
from analysis.papers.claim import Claim, Estimate, Range
from analysis.papers.find import references
from analysis.papers.panels import panels
from analysis.papers.paper import Paper
from analysis.papers.publish import publish
from analysis.papers.tables import as_csv, as_latex, as_markdown, as_text, ours

ROOT = Path(__file__).parents[3]
HOSTILE = "<script>alert('&')</script> | a_b % $x$ \\"


def plot(frames, *, axes=None):
    with panels(2, axes, height=1) as (left, right):
        left.plot(frames["drawn"]["x"])
        right.plot([0, 1])
        return left.figure


def a_paper(name="mine2026", value=1.0, **fields):
    claim = Claim(
        name=HOSTILE,
        sentence=HOSTILE,
        where=HOSTILE,
        published=HOSTILE,
        quantity=HOSTILE,
        because=HOSTILE,
        measure=lambda frames: Estimate(value * frames["drawn"]["x"].mean(), 0.9, 1.1),
        accepts=Range(2.0, 3.0),
    )
    beyond = Claim(name="beyond", sentence="It scales", where="Fig. 1", published="yes", because="it needs a corpus")
    words = {"authors": HOSTILE, "year": 2026, "title": HOSTILE, "claims": (claim, beyond), "plot": plot}
    words["computed"] = lambda _: {"drawn": pd.DataFrame({"x": [1.0, 1.0]})}
    return Paper(name=name, **(words | fields))


PAPER = a_paper()  # this module is a reader's own: --papers tests.analysis.papers.test_gallery


def test_everything_is_written_and_other_papers_are_kept(tmp_path):
    told = []
    publish([a_paper("b2026"), a_paper("a2025", year=2025)], "smoke", tmp_path, progress=False, tell=told.append)
    page = publish([PAPER], "quick", tmp_path, progress=False, tell=told.append)
    names = {f"{name}.{kind}" for name in ("a2025", "b2026", "mine2026") for kind in ("png", "json")}
    assert {path.name for path in page.parent.iterdir()} == {"index.html", "table.md", "table.csv", "table.tex", *names}
    rows = pd.read_csv(page.with_name("table.csv"))
    assert list(rows["paper"]) == ["a2025", "a2025", "b2026", "b2026", "mine2026", "mine2026"]
    assert list(rows["verdict"]) == ["differs", "out of scope"] * 3
    assert rows["claim"][0] == HOSTILE
    assert told[1].count("differs") == 2  # of this paper, and in the summary
    assert "2 claims of 1 paper: 1 differs, 1 out of scope. Differing: mine2026" in told[1]


def test_names_are_never_markup_and_the_page_needs_nothing_beside_it(tmp_path):
    text = publish([PAPER], "smoke", tmp_path, progress=False, tell=lambda _: None).read_text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert text.count("data:image/png;base64,") == 1
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)
    assert not re.search(r"https?:", text)


def test_tables_escape_what_their_languages_read():
    row = {"paper": "p", "name": "n", "claim": HOSTILE, "where": "Fig. 1", "published": "1", "sure": "seen", "quantity": ""}
    row |= {"ours": 1.0, "low": 0.9, "high": 1.1, "theory": float("nan"), "verdict": "differs", "because": ""}
    markdown, latex = as_markdown([row]), as_latex([row])
    assert r"\| a\_b" in markdown
    assert "<script" not in markdown
    assert r"a\_b \% \$x\$ \textbackslash{}" in latex
    assert "1 ± 0.1" in as_text([row])
    assert len(as_csv([row]).splitlines()) == 2


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((1.0, 0.9, 1.1), "1 ± 0.1"),
        ((1.0, 1.0, 1.0), "1"),
        ((1.0, 0.5, 1.1), "1 (0.5 to 1.1)"),
        ((float("inf"), 3.0, float("inf")), "inf (3 to inf)"),
        ((float("nan"),) * 3, ""),
    ],
)
def test_a_number_is_told_with_its_interval(row, expected):
    assert ours(dict(zip(("ours", "low", "high"), row, strict=True))) == expected


def test_the_list_names_all_papers_and_measures_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["papers", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(references())
    assert not list(tmp_path.iterdir())


def test_a_readers_own_paper_by_its_module(tmp_path, capsys):
    assert main(["papers", "--papers", __name__, "--results", str(tmp_path), "--size", "smoke", "--quiet"]) == 0
    page = Path(capsys.readouterr().out.strip())
    assert page == tmp_path / "papers" / "index.html"
    assert json.loads(page.with_name("mine2026.json").read_text())["size"] == "smoke"


def test_a_paper_that_is_named_twice_counts_once(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["papers", "--papers", *2 * ["tests.analysis.papers.test_gallery"]]) == 0
    assert "2 claims of 1 paper" in capsys.readouterr().out


def test_a_paper_is_on_the_page_before_the_next_is_measured(tmp_path):
    class Killed(BaseException):
        pass

    def second(_):
        assert "mine2026" in (tmp_path / "papers" / "index.html").read_text()
        assert "mine2026" in (tmp_path / "papers" / "table.md").read_text()
        raise Killed

    with pytest.raises(Killed):
        publish([PAPER, a_paper("b2026", computed=second)], "smoke", tmp_path, progress=False, tell=lambda _: None)


@pytest.mark.parametrize("results", ["file", "/proc/xx"])
def test_a_folder_that_cannot_be_written_is_not_to_be_overwritten(tmp_path, monkeypatch, capsys, results):
    (tmp_path / "file").write_text("")
    (tmp_path / "with_a_run.py").write_text(
        "from tests.analysis.papers.test_gallery import a_paper\nfrom analysis.papers.paper import sweep\n"
        "PAPER = a_paper(runs=lambda size: {'deep': sweep(depths=2, scales=1.0, widths=4, seeds=1)})\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["papers", "--papers", "with_a_run", "--results", results]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--results: " in line
    assert line.endswith(("Not a directory", "No such file or directory"))


def test_files_of_others_are_let_be_and_damaged_ones_are_told(tmp_path, capsys):
    command = ["papers", "--papers", __name__, "--results", str(tmp_path), "--quiet"]
    (tmp_path / "papers").mkdir()
    old = {"name": "old", "authors": None, "year": "x", "title": "", "arxiv": "", "size": "quick", "claims": []}
    for name, content in (("zzz", {"year": 2026, "name": "zzz"}), ("list", [1]), ("old", old)):
        (tmp_path / "papers" / f"{name}.json").write_text(json.dumps(content))
    assert main(command) == 0
    assert set(pd.read_csv(tmp_path / "papers" / "table.csv")["paper"]) == {"mine2026"}
    (tmp_path / "papers" / "mine2025.json").write_text("{")
    assert main(command) == 2
    assert re.search(r"--results: '.*mine2025.json' cannot be read .*\n$", capsys.readouterr().err)


def test_a_figure_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "papers" / "mine2026.png").mkdir(parents=True)
    assert main(["papers", "--papers", __name__, "--results", str(tmp_path), "--quiet"]) == 1
    assert re.fullmatch(r".* papers: error: got '.*mine2026.png', .*\n", capsys.readouterr().err)
    assert not (tmp_path / "papers" / "mine2026.json").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["he2014"], "NAME: got 'he2014', expected one of .*; did you mean he2015"),
        (["--papers", "nowhere.at_all"], r"--papers: got 'nowhere.at_all', expected a module .*ModuleNotFoundError"),
        (["--papers", "json"], r"--papers: got 'json', expected a module that can be imported and has a PAPER"),
        (["--papers", "takes_a_name"], r"--papers: got 'takes_a_name', expected a name of its own: he2015 is one of"),
        (["--papers", __name__, "same_name"], r"--papers: got 'same_name', expected a name of its own: mine2026 is the"),
        (["--papers", "leaves_at_once"], r"--papers: got 'leaves_at_once', expected a module .*SystemExit"),
        (["--size", "big"], "--size: got 'big', expected one of smoke, quick, full"),
    ],
)
def test_what_is_no_paper_is_one_line(words, told, tmp_path, capsys, monkeypatch, tmp_path_factory):
    modules = tmp_path_factory.mktemp("modules")
    (modules / "takes_a_name.py").write_text(
        "from tests.analysis.papers.test_gallery import a_paper\nPAPER = a_paper('he2015')\n"
    )
    (modules / "same_name.py").write_text("from tests.analysis.papers.test_gallery import PAPER\n")
    (modules / "leaves_at_once.py").write_text("raise SystemExit(7)\n")
    monkeypatch.syspath_prepend(modules)
    monkeypatch.chdir(tmp_path)
    assert main(["papers", *words]) == 2
    captured = capsys.readouterr()
    assert re.search(told, captured.err)
    assert captured.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_paper_of_the_page_is_measured(tmp_path, capsys, monkeypatch):
    block = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "papers.md").read_text(), re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "mine_of_the_page.py").write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["papers", "--papers", "mine_of_the_page", "--results", str(tmp_path), "--size", "smoke"]) == 0
    assert "reproduced" in capsys.readouterr().out
    assert (tmp_path / "papers" / "mine-deep-smoke" / "manifest.json").exists()
    assert (tmp_path / "papers" / "mine.png").stat().st_size > 5_000
    (tmp_path / "changed_since.py").write_text(block.replace("scales=0.5", "scales=0.6"))
    assert main(["papers", "--papers", "changed_since", "--results", str(tmp_path), "--size", "smoke"]) == 2
    told = r"--results: .*mine-deep-smoke holds another sweep \(scales differ\); --overwrite removes what is there first\n$"
    assert re.search(told, capsys.readouterr().err)
