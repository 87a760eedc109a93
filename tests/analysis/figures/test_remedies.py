import numpy as np
import pytest

from analysis.figures.remedies import draw_remedies, plot_remedies
from analysis.numbers.blocks import FAMILIES, OWN, expected_first, family_of
from analysis.rows.select import Facet, SelectionError
from bench.settings.catalog import architectures
from bench.theory import block_trajectory
from tests.analysis.conftest import make_cells

NAMES = ("plain", "residual:alpha=0.5", "residual2:init=rezero", "batchnorm", "mine:block")


def grown(rows):
    """Decades a block, by architecture; a gate is exactly 0."""
    rate = rows["architecture"].map({"plain": -0.2, "residual:alpha=0.5": 0.1, "batchnorm": 0.08, "mine:block": 0.0})
    return rate.fillna(-np.inf) * rows["depth"] + 0.01 * rows["seed"]


CELLS = make_cells(
    depths=(2, 20, 852), initializers=("he_gaussian",), activations=("relu",), architectures=NAMES, log10_norm=grown
)


def test_families_hold_every_architecture():
    assert sorted(name for names in FAMILIES.values() for name in names) == sorted(architectures())
    assert family_of("residual:alpha=1/L") == "that add"
    assert family_of("mine:block") == OWN


def test_a_column_for_each_family_and_a_line_for_each_architecture():
    figure = draw_remedies(CELLS)
    panels = [ax for ax in figure.axes if ax.axison]
    assert len(panels) == 4
    assert len({ax.get_ylim() for ax in panels}) == 1
    drawn = {line.get_label(): line for ax in panels for line in ax.lines}
    assert set(NAMES) - {"residual2:init=rezero"} <= set(drawn)
    np.testing.assert_allclose(drawn["batchnorm"].get_ydata(), 0.08 * np.array([2, 20, 852]) + 0.01)
    assert "scale 1" in figure.get_suptitle()
    words = [text.get_text() for ax in panels for text in ax.get_legend().get_texts()]
    assert "residual2:init=rezero: gated" in words


def test_theory_is_drawn_where_there_is_some():
    facet = Facet("he_gaussian", "relu", 4, 0.0, architecture="residual:alpha=0.5")
    ax = plot_remedies(CELLS[(CELLS["architecture"] == facet.architecture) & (CELLS["scale"] == 2.0)])
    (line,) = [line for line in ax.lines if line.get_color() == "black"]
    law = [block_trajectory(facet.architecture, "relu", 2 * np.sqrt(2), depth, 4).log10_grad[0] for depth in (2, 20, 852)]
    np.testing.assert_allclose(line.get_ydata(), law)
    for other in (
        facet._replace(architecture="mine:block"),
        facet._replace(initializer="identity"),
        facet._replace(bias_std=0.1),
        facet._replace(activation="mine:function"),
    ):
        assert np.isnan(expected_first(other, 1.0, [2, 5])).all()


def test_theory_knows_how_many_examples_a_network_sees():
    facet = Facet("he_gaussian", "relu", 64, 0.0, architecture="batchnorm")
    alone, several = (expected_first(facet, 1.0, [30], batch=batch, length=1) for batch in (2, 8))
    assert np.isnan(alone).all()
    law = block_trajectory("batchnorm", "relu", np.sqrt(2), 30, 64, batch=8).log10_grad[0]
    assert several == pytest.approx(law)


def test_one_panel_is_of_one_setting():
    with pytest.raises(SelectionError, match="SELECTION: got '1 settings, 3 scales'"):
        plot_remedies(CELLS)
