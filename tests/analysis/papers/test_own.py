"""A reader's own paper that fails: one line says what of it, and nothing that was measured is lost."""

import json
import sys

import pytest

from analysis.cli.main import main

MODULE = """
from analysis.papers.claim import Claim, Estimate, Range
from tests.analysis.papers.test_gallery import a_paper

def fails(*_, **__):
    raise ZeroDivisionError("division by zero\\nof my own")

words = {"name": "halves", "sentence": "It halves", "where": "eq. 1", "published": "1", "accepts": Range(0, 2)}

def of_claim(**fields):
    return a_paper("failing2026", claims=(Claim(**({"measure": lambda _: Estimate(1, 1, 1)} | words | fields)),))

PAPER = """
FAILING = {
    'a_paper("failing2026", runs=fails)': "runs can be made",
    'a_paper("failing2026", computed=fails)': "frames can be computed",
    'a_paper("failing2026", plot=fails)': "figure can be drawn",
    "of_claim(measure=fails)": "claim 'halves' can be measured",
    "of_claim(theory=fails)": "claim 'halves' has a number of theory",
}
RETURNING = {
    'a_paper("failing2026", runs=lambda _: {"deep": 3})': "TypeError: 'deep': got 3, expected a sweep,",
    'a_paper("failing2026", runs=lambda _: {"../../evil": 3})': "ValueError: label: got '../../evil', expected letters,",
    'a_paper("failing2026", plot=lambda _: None)': "TypeError: got None, expected a Figure",
    "of_claim(measure=lambda _: 1.0)": "TypeError: got 1.0, expected an Estimate",
    "of_claim(measure=lambda _: Estimate('a', 'b', 'c'))": "halves' can be measured (TypeError: got Estimate(value='a'",
    "of_claim(measure=lambda _: Estimate(1.0, float('nan'), [2]))": "expected an Estimate of three numbers",
}
DECLARED = {  # and refused before anything is measured
    "a_paper('failing2026', year='x')": "ValueError: year: got 'x', expected a whole number for 'failing2026'",
    "a_paper('failing2026', authors=None)": "ValueError: authors: got None, expected text for 'failing2026'",
    "a_paper(2026)": "ValueError: name: got 2026, expected text",
    "of_claim(accepts=(0, 1))": "ValueError: accepts: got (0, 1), expected a Range of two numbers for 'halves'",
    "of_claim(accepts=Range('0', 1))": "expected a Range of two numbers for 'halves'",
    "of_claim(because=3)": "ValueError: because: got 3, expected text for 'halves'",
}


def told_of(paper, tmp_path, monkeypatch, capsys, *others):
    (tmp_path / "failing_paper.py").write_text(MODULE + paper)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "failing_paper", raising=False)
    names = [*others, "failing_paper"]
    assert main(["papers", "--papers", *names, "--results", str(tmp_path / "results"), "--size", "smoke", "--quiet"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    return captured


@pytest.mark.parametrize(("paper", "told"), FAILING.items())
def test_what_of_a_paper_fails_is_one_line(paper, told, tmp_path, monkeypatch, capsys):
    err = told_of(paper, tmp_path, monkeypatch, capsys).err
    assert f"--papers: got 'failing_paper', expected a paper whose {told} (ZeroDivisionError: division by zero)" in err


@pytest.mark.parametrize(("paper", "told"), RETURNING.items())
def test_what_is_no_run_no_figure_and_no_estimate_is_one_line(paper, told, tmp_path, monkeypatch, capsys):
    assert told in told_of(paper, tmp_path, monkeypatch, capsys).err


@pytest.mark.parametrize(("paper", "told"), DECLARED.items())
def test_what_a_paper_declares_wrongly_is_one_line_and_breaks_no_later_call(paper, told, tmp_path, monkeypatch, capsys):
    assert told in told_of(paper, tmp_path, monkeypatch, capsys).err
    assert not (tmp_path / "results").exists()


def test_papers_before_it_are_kept_and_of_itself_nothing_is_half_written(tmp_path, monkeypatch, capsys):
    told_of("of_claim(measure=fails)", tmp_path, monkeypatch, capsys, "tests.analysis.papers.test_gallery")
    folder = tmp_path / "results" / "papers"
    assert json.loads((folder / "mine2026.json").read_text())["name"] == "mine2026"
    assert "mine2026" in (folder / "table.md").read_text()
    assert "mine2026" in (folder / "index.html").read_text()
    assert not list(folder.glob("failing2026*"))
