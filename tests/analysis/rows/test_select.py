import pandas as pd
import pytest

from analysis.rows.select import (
    Facet,
    SelectionError,
    distinct,
    facet_title,
    facets,
    one_facet,
    select,
    spread,
    varying,
)
from tests.analysis.conftest import make_cells

CELLS = make_cells(activations=("tanh", "relu"), widths=(4, 8))


def test_select_keeps_exactly_what_is_wanted():
    kept = select(CELLS, activations=["tanh"], scales=[0.5, 2.0], depths=None, widths=[8])
    assert [distinct(kept, c) for c in ("activation", "scale", "width")] == [["tanh"], [0.5, 2.0], [8]]
    assert len(kept) == len(CELLS) / 2 * 2 / 3 / 2


def test_numbers_match_up_to_rounding_only():
    assert distinct(select(CELLS, scales=[0.5 + 1e-9]), "scale") == [0.5]
    with pytest.raises(SelectionError, match=r"scales: got 0\.51, expected one of 0\.5, 1, 2; the nearest is 0\.5"):
        select(CELLS, scales=[0.51])


def test_names_are_checked_with_a_hint():
    with pytest.raises(SelectionError, match="activations: got 'tahn', expected one of relu, tanh; did you mean tanh"):
        select(CELLS, activations=["tahn"])


def test_a_combination_that_no_row_has():
    cells = CELLS[(CELLS["activation"] == "tanh") | (CELLS["width"] == 4)]
    with pytest.raises(SelectionError, match="no row"):
        select(cells, activations=["relu"], widths=[8])


def test_of_no_rows_there_is_none():
    """Layers whose cells are of a shard that is lost."""
    with pytest.raises(SelectionError, match="no row"):
        select(make_cells().iloc[:0], depths=[2], activations=["tanh"])


def test_one_facet_names_the_axis_to_select_from():
    with pytest.raises(SelectionError, match=r"activations: got 2, .*relu, tanh"):
        one_facet(CELLS)
    assert one_facet(select(CELLS, activations=["relu"], widths=[4])) == Facet("gaussian", "relu", 4, 0.0)
    assert len(facets(CELLS)) == 4


def test_spread_keeps_both_ends():
    assert spread(list(range(41)), 5) == [0, 10, 20, 30, 40]
    assert spread([7], 5) == [7]
    assert spread([1, 2, 3], 5) == [1, 2, 3]


def test_lengths_of_the_input_are_panels_of_their_own_and_refused_where_a_run_has_none():
    both = pd.concat([CELLS.assign(input_norm=norm) for norm in (1.0, 10.0)])
    assert {facet.input_norm for facet, _ in facets(both)} == {1.0, 10.0}
    assert "input_norm" in varying(both)
    assert "inputs 10 √n" in facet_title(facets(select(both, input_norms=[10.0]))[0][0], varying(both))
    with pytest.raises(SelectionError, match=r"^input_norms: got .*, expected a run with the column input_norm"):
        select(CELLS, input_norms=[1.0])
