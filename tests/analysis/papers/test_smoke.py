"""Every paper at its smallest size: its runs are made, its figure is drawn, and each of its claims has a number."""

import pytest
from matplotlib.figure import Figure

from analysis.papers.claim import VERDICTS
from analysis.papers.find import load, references
from analysis.papers.gallery import judged, keep, measure

WITHOUT_RUNS = ("hanin2018", "pennington2018")  # nothing is compiled for these


def drawn_on_given_axes(paper, frames):
    """The figure of that paper on axes of another figure, of which it needs some number."""
    for count in range(1, 9):
        figure = Figure()
        try:
            return figure, paper.plot(frames, axes=figure.subplots(1, count, squeeze=False)[0])
        except ValueError as error:
            if not str(error).startswith("axes: got"):
                raise
    raise AssertionError("no number of axes is right")


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=() if each in WITHOUT_RUNS else pytest.mark.thorough) for each in references()]
)
def test_a_paper_is_measured_drawn_and_judged(name, tmp_path):
    paper = load(name)
    ((_, frames),) = measure([paper], "smoke", tmp_path, progress=False, overwrite=False)
    rows = keep(paper, "smoke", frames, tmp_path)["claims"]
    assert {row["verdict"] for row in rows} <= set(VERDICTS)
    assert rows == judged(paper, "smoke", frames)["claims"] or any(row["ours"] != row["ours"] for row in rows)
    assert (tmp_path / "papers" / f"{name}.png").stat().st_size > 5_000
    given, returned = drawn_on_given_axes(paper, frames)
    assert returned is given
