"""The lesson: its numbers are those of its runs' rows, in both of its languages."""

import re
import shutil

import numpy as np
import pytest

from analysis.cli.main import main
from tests.analysis.conftest import lecture_cells, make_cells, write_run
from tests.analysis.report.conftest import Page


@pytest.fixture
def results(tmp_path):
    write_run(tmp_path / "lecture", lecture_cells())
    write_run(tmp_path / "atlas", make_cells(activations=("tanh", "relu"), scales=(0.5, 1.0, 1.005)))
    sizes = {"plain": -40.0, "pre_layernorm": 0.25, "residual2:init=rezero": -np.inf}
    cells = make_cells(architectures=tuple(sizes), log10_norm=lambda rows: rows["architecture"].map(sizes))
    write_run(tmp_path / "remedies", cells)
    return tmp_path


@pytest.fixture
def lesson(results):
    target = results / "lesson.html"
    assert main(["lesson", "--results", str(results), "--no-theory", "--out", str(target)]) == 0
    return target


def test_its_numbers_are_made_from_the_rows(lesson):
    page = Page(lesson.read_text())
    deepest = 850 * np.log10(1.5) + np.log10(2) / 2
    for words in (
        f"at scale 1.5: 10^{deepest:.1f} with 852 layers",
        "Of 6 settings with 852 layers, 4 keep",
        "plain : 10^−40.0",
        "residual2:init=rezero : 0",
        "pre_layernorm keeps its gradient at 10^0.2",
    ):
        assert words in page.text


def test_every_sentence_is_there_in_english_and_in_korean(lesson):
    page, text = Page(lesson.read_text()), lesson.read_text()
    for tag in ("p", "span"):
        assert len(page.find(tag, lang="en")) == len(page.find(tag, lang="ko")) > 3
    for korean in re.findall(r'<(?:p|span) lang="ko">(.*?)</(?:p|span)>', text):
        assert re.search("[가-힣]", korean)
    numbers = [
        [re.findall(r"10\^−?\d+(?:\.\d)?", words) for words in re.findall(rf'<p lang="{language}">(.*?)</p>', text)]
        for language in ("en", "ko")
    ]
    assert [sorted(each) for each in numbers[0]] == [sorted(each) for each in numbers[1]]


def test_it_says_which_run_is_missing(tmp_path, capsys):
    write_run(tmp_path / "lecture", lecture_cells())
    assert main(["lesson", "--results", str(tmp_path)]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert f"{str(tmp_path / 'atlas')!r} is not a run; expected the run that `depthscale sweep atlas` makes" in line


def test_it_says_which_run_is_another(results, capsys):
    shutil.rmtree(results / "lecture")
    write_run(results / "lecture", lecture_cells().query("scale != 0.5"))
    assert main(["lesson", "--results", str(results)]) == 2
    assert "lecture' has no scale 0.5; expected the run that `depthscale sweep lecture` makes" in capsys.readouterr().err


@pytest.mark.thorough
def test_it_is_played_with(lesson, browser):
    browser.events.clear()
    browser.open(lesson)
    closed = "document.getElementById('closed').textContent"
    move = "(e, to) => { e.value = to; e.dispatchEvent(new Event('input')) }"
    for slider, value in (("closed-scale", 1.5), ("closed-depth", 852)):
        browser.run(f"({move})(document.getElementById('{slider}'), {value})")
    assert f"1.5^851 = 10^{851 * np.log10(1.5):.2f} (infinite in float32)" in browser.run(closed)
    browser.run(f"({move})(document.getElementById('closed-scale'), 1)")
    assert "1^851 = 10^0.00 (held by float32)" in browser.run(closed)
    browser.run("document.getElementById('language').click()")
    assert browser.run("document.documentElement.lang") == "ko"
    assert browser.run("getComputedStyle(document.querySelector('p[lang=en]')).display") == "none"
    assert browser.complaints() == []
