import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.drawing.pack import pack
from analysis.rows.select import Facet


def facets(settings, activations):
    return [Facet(f"scheme_{i}", f"function_{j}", 32, 0.0) for i in range(settings) for j in range(activations)]


@pytest.mark.parametrize(
    ("settings", "activations", "shape"),
    [
        (1, 1, (1, 1)),
        (3, 1, (1, 3)),
        (4, 1, (1, 4)),
        (6, 1, (2, 3)),
        (7, 1, (2, 4)),
        (2, 3, (2, 3)),
        (5, 2, (5, 2)),
        (12, 2, (4, 6)),
    ],
)
def test_a_page_is_filled_and_activations_stay_side_by_side(settings, activations, shape):
    found = facets(settings, activations)
    packed = pack(found)
    assert packed.used.shape == shape
    assert packed.used.sum() == len(set(packed.places.values())) == len(found)
    for start in range(0, len(found), activations):
        rows, columns = zip(*(packed.places[facet] for facet in found[start : start + activations]), strict=True)
        assert len(set(rows)) == 1
        assert list(columns) == list(range(columns[0], columns[0] + activations))


def test_a_map_that_is_missing_leaves_its_place_empty():
    found = facets(3, 3)
    packed = pack(found[:4] + found[5:])
    assert not packed.used[1, 1]
    assert packed.used.sum() == 8


def test_what_no_page_holds_is_counted():
    packed = pack(facets(60, 1))
    assert (packed.shown, packed.settings) == (len(packed.places), 60)
    assert 20 < packed.shown < 60


def test_a_bias_of_the_schemes_own_never_stands_in_the_row_of_another():
    drawn = {"tanh": (0.0, 0.1, 0.5), "gelu": (0.4158, 0.1, 0.5), "silu": (0.745, 0.1, 0.5)}
    found = [Facet("critical", name, 32, bias) for name, biases in drawn.items() for bias in biases]
    found += [Facet("gaussian", name, 32, bias) for name in drawn for bias in (0.0, 0.1, 0.5)]
    rows: dict[tuple[int, int], set[float]] = {}
    for facet, (row, column) in pack(found).places.items():  # two settings of three activations each stand side by side
        rows.setdefault((row, column // len(drawn)), set()).add(facet.bias_std)
    assert all(len(biases) == 1 for biases in rows.values())
    order = [min(rows[row]) for row in sorted(rows)]
    assert order == sorted(order)


def test_biases_of_the_schemes_own_share_a_row_where_there_are_no_others():
    found = [Facet("critical", name, 32, bias) for name, bias in (("tanh", 0.0), ("gelu", 0.4158), ("silu", 0.745))]
    assert {row for row, _ in pack(found).places.values()} == {0}


ANY = st.builds(Facet, *map(st.sampled_from, ("ab", "ab", (8, 16), (0.0, 0.1, 0.5), ("", "sgd", "adam"), (0.1, 1.0, 10.0))))


@given(st.lists(ANY, min_size=1, max_size=80))
@settings(max_examples=200, deadline=None)
def test_every_facet_has_a_place_of_its_own_or_is_counted(found):
    packed = pack(found)
    assert len(set(packed.places.values())) == len(packed.places) == packed.used.sum()
    left_out = set(found) - set(packed.places)
    assert bool(left_out) == bool(packed.left_out)
    if not left_out:
        assert packed.shown == packed.settings


@pytest.mark.parametrize("field", Facet._fields)
def test_whatever_a_facet_tells_apart_are_two_panels(field):
    one = Facet("scheme", "function", 32, 0.0)
    value = getattr(one, field)
    other = one._replace(**{field: value + ("x" if isinstance(value, str) else 1)})
    assert set(pack([one, other]).places) == {one, other}
    assert pack([one, other]).used.sum() == 2
