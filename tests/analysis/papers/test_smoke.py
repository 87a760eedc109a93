"""Every paper at its smallest size: its runs are made, its figure is drawn, and each of its claims has a number.

Compiling is most of it: papers that measure the same networks share a worker (``--dist loadgroup``), which does it once.
"""

import re

import pytest
from matplotlib.figure import Figure

from analysis.papers.claim import OUT_OF_SCOPE, VERDICTS
from analysis.papers.find import load, references
from analysis.papers.gallery import keep, measure

WITHOUT_RUNS = ("hanin2018", "pennington2018")  # nothing is compiled for these
ALIKE = (
    ("xiong2020", "wang2022", "noci2022"),
    ("kim2025", "sun2025"),
    ("philipp2018", "yang2019", "desmith2020", "zhang2019"),
    ("martens2021", "zhang2022"),
    ("haninnica2019", "haninrolnick2018", "roberts2022"),
)


def marked(name):
    """The paper as a parameter: not among quick tests if it compiles, and with those that are like it."""
    together = next((group[0] for group in ALIKE if name in group), name)
    marks = [] if name in WITHOUT_RUNS else [pytest.mark.smoke]
    return pytest.param(name, marks=[*marks, pytest.mark.xdist_group(together)])


def drawn_on_given_axes(paper, frames):
    """The figure of that paper on axes of another figure, of which it says how many it needs."""
    figure = Figure()
    with pytest.raises(ValueError, match=r"axes: got 20, expected \d+$") as refused:
        paper.plot(frames, axes=figure.subplots(1, 20))
    count = int(re.findall(r"\d+$", str(refused.value))[0])
    figure.clear()
    return figure, paper.plot(frames, axes=figure.subplots(1, count, squeeze=False)[0])


@pytest.mark.parametrize("name", [marked(each) for each in references()])
def test_a_paper_is_measured_drawn_and_judged(name, tmp_path):
    paper = load(name)
    ((_, frames),) = measure([paper], "smoke", tmp_path, progress=False, overwrite=False)
    rows = keep(paper, "smoke", frames, tmp_path)["claims"]
    assert [row["name"] for row in rows] == [claim.name for claim in paper.claims]
    for row, claim in zip(rows, paper.claims, strict=True):
        assert row["verdict"] in VERDICTS
        assert (row["verdict"] == OUT_OF_SCOPE) == (claim.measure is None)
    assert (tmp_path / "papers" / f"{name}.png").stat().st_size > 5_000
    given, returned = drawn_on_given_axes(paper, frames)
    assert returned is given
