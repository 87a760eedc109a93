import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.drawing.depth_axis import set_depth_ticks
from analysis.drawing.sheet import PAGE, add_key, broken, fit_titles, in_rows, legend_below, new_sheet, shortened, text_width
from analysis.drawing.style import STYLE


@pytest.fixture(autouse=True)
def in_style():
    with mpl.rc_context(STYLE):
        yield


def overlaps(boxes):
    return [(i, j) for i, one in enumerate(boxes) for j, other in enumerate(boxes[:i]) if one.overlaps(other)]


def test_labels_are_on_the_outer_edge_of_the_places_that_are_used():
    figure, panels = new_sheet(in_rows(5, 3), 6, 4, labels=("x", "y"))
    assert [ax.axison for ax in panels.flat] == [True] * 5 + [False]
    assert [bool(ax.get_xlabel()) for ax in panels.flat] == [False, False, True, True, True, False]
    assert [bool(ax.get_ylabel()) for ax in panels.flat] == [True, False, False, True, False, False]
    figure.draw_without_rendering()
    assert [any(label.get_visible() for label in ax.get_xticklabels()) for ax in panels.flat][:3] == [False, False, True]


def test_titles_are_broken_until_none_meets_its_neighbour():
    figure, panels = new_sheet(in_rows(8, 4), 7.2, 3)
    for ax in panels.flat:
        ax.set_title("critical_orthogonal, softplus, sgd:momentum=0.9, n = 1024, bias std 0.125")
    before = figure.get_figheight()
    fit_titles(figure, panels.flat)
    assert figure.get_figheight() > before
    figure.draw_without_rendering()
    assert not overlaps([ax.title.get_window_extent() for ax in panels.flat])


def test_a_text_is_broken_at_commas_first_and_within_words_last():
    text = "critical_orthogonal, tanh, n = 64"
    assert broken(text, 1000, 8) == [text]
    assert broken(text, text_width("critical_orthogonal,", 8) + 1, 8) == ["critical_orthogonal,", "tanh, n = 64"]
    assert broken(text, text_width("orthogonal,", 8) + 1, 8) == ["critical_", "orthogonal,", "tanh,", "n = 64"]
    assert broken("one $a_b, c$ two\nthree", 5, 8) == ["one", "$a_b, c$", "two", "three"]  # mathematics stays whole
    assert "".join(broken(text, 1, 8)).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("count", [1, 3, 12])
def test_a_legend_below_fits_and_adds_its_own_height(count):
    figure, panels = new_sheet(in_rows(1, 1), 3.5, 2)
    legend_below(figure, [Line2D([], [], label=f"a rather long label {i}") for i in range(count)], title="two\nlines")
    figure.draw_without_rendering()
    assert figure.legends[0].get_window_extent().width <= figure.bbox.width
    assert panels[0, 0].get_position().height * figure.get_figheight() > 1.5


def test_no_figure_is_higher_than_a_page():
    figure, _ = new_sheet(in_rows(60, 1), 3.5, 100)
    legend_below(figure, [Line2D([], [], label="line")])
    assert figure.get_figheight() == PAGE


def test_a_key_is_inside_a_panel_of_the_user_and_below_ours():
    ax = Figure().subplots()
    handles = [Line2D([], [], label="line")]
    add_key(ax, handles, inside=True)
    assert ax.get_legend().get_texts()[0].get_text() == "line"
    add_key(ax, handles, inside=False)
    assert len(ax.figure.legends) == 1


@pytest.mark.parametrize("width", [1.4, 3.5, 7.2])
def test_depth_ticks_are_depths_that_were_run_and_their_labels_do_not_meet(width):
    depths = np.unique(np.geomspace(2, 852, 32).round())
    figure = Figure(figsize=(width, 2), layout="constrained")
    ax = figure.subplots()
    ax.tick_params(labelsize=7)
    ax.set(xscale="log", xlim=(1.8, 900))
    set_depth_ticks(ax, depths)
    figure.draw_without_rendering()
    labelled = ax.get_xticks()
    assert set(labelled) <= set(depths)
    assert {2, 852} <= set(labelled)
    assert not overlaps([label.get_window_extent() for label in ax.get_xticklabels()])
    assert set(ax.get_xticks(minor=True)) | set(labelled) == set(depths)


def test_a_name_with_a_dollar_is_no_mathematics_and_can_be_broken():
    assert broken(r"a\$bc, tanh, x", 1, 8) == [r"a\$bc,", "tanh,", "x"]


def test_of_a_long_name_the_end_is_kept():
    name = "my_package.module:he_normal"
    assert shortened(name, 1000, 7) == name
    short = shortened(name, text_width("…he_normal", 7) + 0.1, 7)
    assert short == "…he_normal"
    assert shortened(name, 0, 7) == "…"
    assert shortened("$x^$", 1000, 7) == r"\$x^\$"
