import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from analysis.cli.main import main
from analysis.drawing.labels import LAYER_VALUES
from analysis.figures import profile
from analysis.figures.profile import HEADINGS, draw_profiles, plot_profile
from analysis.rows.load import load_layers
from analysis.rows.select import Facet, SelectionError
from tests.analysis.conftest import make_cells, make_layers, write_run

LAYERS = make_layers()


def lines_of(ax):
    """The measured lines, without the one at 10^0."""
    return [line for line in ax.lines if len(line.get_xdata()) != 2 or line.get_linewidth() > 0.5]


def bands_of(ax):
    return [artist for artist in ax.collections if isinstance(artist, PolyCollection)]


def texts_of(figure):
    return [t.get_text() for legend in figure.legends for t in (legend.get_title(), *legend.get_texts())]


@pytest.mark.parametrize("value", LAYER_VALUES)
def test_lines_are_medians_and_bands_reach_from_the_smallest_seed_to_the_largest(value):
    ax = plot_profile(LAYERS, value=value, depths=[6], scales=[0.5])
    (line,), (band,) = lines_of(ax), bands_of(ax)
    rows = LAYERS[(LAYERS["depth"] == 6) & (LAYERS["scale"] == 0.5)].groupby("layer")[value]
    np.testing.assert_array_equal(line.get_xdata(), range(1, 7))
    np.testing.assert_array_equal(line.get_ydata(), rows.median())
    corners = band.get_paths()[0].vertices
    for layer, low, high in zip(range(1, 7), rows.min(), rows.max(), strict=True):
        heights = corners[corners[:, 0] == layer, 1]
        assert (heights.min(), heights.max()) == pytest.approx((low, high))


def test_by_default_the_largest_depth_and_at_most_five_scales():
    layers = make_layers(scales=tuple(np.linspace(0.5, 2.5, 41)), seeds=1)
    ax = plot_profile(layers)
    assert [len(line.get_xdata()) for line in lines_of(ax)] == [6] * 5
    names = [text for text in texts_of(ax.figure) if text.startswith("scale")]
    assert names == ["scale 2.5", "scale 2", "scale 1.5", "scale 1", "scale 0.5"]


def test_depths_differ_in_style_and_scales_in_colour():
    ax = plot_profile(LAYERS, depths=[3, 6], scales=[0.5, 2.0])
    looks = {(line.get_linestyle(), tuple(line.get_color())) for line in lines_of(ax)}
    assert len(looks) == 4
    assert len({style for style, _ in looks}) == 2
    assert {"$L = 3$", "$L = 6$"} <= set(texts_of(ax.figure))


def test_exact_zeros_and_undefined_layers_leave_a_gap():
    layers = LAYERS.copy()
    layers.loc[layers["layer"] == 3, "log10_grad"] = -np.inf
    layers.loc[(layers["layer"] == 5) & (layers["seed"] == 0), "log10_grad"] = np.nan
    layers.loc[(layers["layer"] == 6) & (layers["seed"] == 0), "log10_grad"] = -np.inf
    ax = plot_profile(layers, scales=[1.0])
    (line,), (band,) = lines_of(ax), bands_of(ax)
    assert np.isnan(line.get_ydata()).tolist() == [False, False, True, False, True, False]
    assert np.isfinite(np.concatenate([path.vertices for path in band.get_paths()])).all()
    ax.get_figure(root=True).draw_without_rendering()


def test_a_dead_network_draws():
    layers = LAYERS.assign(log10_grad=-np.inf, log10_delta=-np.inf, log10_activation=np.nan)
    draw_profiles(layers).draw_without_rendering()
    assert np.isnan(lines_of(plot_profile(layers, scales=[1.0]))[0].get_ydata()).all()


def test_one_seed_has_no_band_and_says_so():
    ax = plot_profile(make_layers(seeds=1))
    assert bands_of(ax) == []
    assert any("1 seed" in text for text in texts_of(ax.figure))
    assert any("of 3 seeds" in text for text in texts_of(plot_profile(LAYERS).figure))


def test_the_figure_has_three_quantities_and_a_row_for_each_network():
    figure = draw_profiles(make_layers(activations=("tanh", "relu")))
    assert len(figure.axes) == 6
    assert {text.get_text() for ax in figure.axes for text in ax.texts} == {"gaussian, tanh", "gaussian, relu"}
    assert [ax.get_title() for ax in figure.axes[:3]] == list(HEADINGS.values())
    for ax, symbol in zip(figure.axes, ["partial W_l", "partial z_l", "Vert h_l"] * 2, strict=True):
        assert symbol in ax.get_ylabel()


def test_what_the_frame_does_not_hold_is_refused():
    with pytest.raises(SelectionError, match=r"scales: got 0\.7, .*the nearest is 0\.5"):
        plot_profile(LAYERS, scales=[0.7])
    with pytest.raises(SelectionError, match=r"value: got 'log10_dleta'.*did you mean log10_delta"):
        plot_profile(LAYERS, value="log10_dleta")
    with pytest.raises(SelectionError, match="initializers: got 2"):
        plot_profile(make_layers(initializers=("gaussian", "identity")))


def test_rows_share_their_heights_unless_one_would_be_flat():
    layers = make_layers(activations=("tanh", "relu"))
    alike = draw_profiles(layers)
    assert alike.axes[0].get_ylim() == alike.axes[3].get_ylim()
    layers["log10_grad"] *= np.where(layers["activation"] == "relu", 100.0, 1.0)
    apart = draw_profiles(layers)
    (small, large) = sorted(np.ptp(apart.axes[place].get_ylim()) for place in (0, 3))
    assert large > 50 * small


def test_an_axes_that_is_given_is_labelled_and_gets_its_key_if_asked():
    figure = Figure()
    plain, keyed = figure.subplots(1, 2)
    assert plot_profile(LAYERS, ax=plain) is plain
    assert (plain.get_xlabel(), plain.get_title(), plain.get_legend()) == ("layer $l$", "gaussian, linear", None)
    plot_profile(LAYERS, ax=keyed, key=True)
    assert "scale 1" in [text.get_text() for text in keyed.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("number", "words"), [(-np.inf, "all {} are exactly 0"), (np.nan, "all {} are undefined"), (1.0, None)]
)
def test_a_panel_without_a_number_says_so_and_begins_at_layer_1(number, words):
    dead = LAYERS.assign(log10_grad=number, log10_activation=number)
    dead.loc[dead["layer"] == 1, "log10_delta"] = -np.inf
    figure = draw_profiles(dead)
    figure.draw_without_rendering()
    said = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert said == [[words.format(thing)] if words and thing else [] for thing in ("gradients", "", "outputs")]
    for ax in figure.axes:
        assert 0 < ax.get_xlim()[0] < 1
        assert ax.get_xticks()[0] == 1


def test_a_scale_that_is_zero_throughout_is_named_beside_the_others():
    layers = LAYERS.copy()
    layers.loc[layers["scale"] == 0.5, "log10_grad"] = -np.inf
    ax = plot_profile(layers)
    assert [text.get_text() for text in ax.texts] == ["scale 0.5: all exactly 0"]


def test_an_empty_panel_does_not_flatten_its_column():
    layers = make_layers(activations=("tanh", "relu", "gelu"))
    layers.loc[layers["activation"] == "gelu", "log10_grad"] = -np.inf
    full = [ax for ax in draw_profiles(layers).axes[::3] if not any("exactly" in text.get_text() for text in ax.texts)]
    assert len(full) == 2
    assert full[0].get_ylim() == full[1].get_ylim()


def test_rounding_does_not_look_like_a_slope():
    ax = plot_profile(LAYERS.assign(log10_grad=1e-8 * LAYERS["layer"]))
    assert np.ptp(ax.get_ylim()) >= 0.2


def test_only_the_rows_that_are_drawn_are_read(tmp_path, monkeypatch):
    axes = {"scales": np.linspace(0.5, 2.5, 21), "depths": (2, 3, 6), "activations": ("tanh", "relu")}
    tables = [table.assign(scale=table["scale"] - 0.5) for table in (make_cells(**axes), make_layers(**axes))]
    folder = write_run(tmp_path / "run", *tables)
    read = []
    monkeypatch.setattr(profile, "load_layers", lambda *a, **k: read.append(load_layers(*a, **k)) or read[-1])
    assert main(["profile", str(folder), "--activations", "tanh", "--out", str(tmp_path / "a.svg")]) == 0
    (rows,) = read
    assert len(rows) == 5 * 6 * 3  # scales, layers of the deepest, seeds
    assert 0.0 in set(rows["scale"])


@pytest.mark.parametrize("field", [field for field in Facet._fields if field != "optimizer"])  # which sweeps have not
def test_whatever_is_chosen_is_all_that_is_read(tmp_path, monkeypatch, field):
    """Of a run with two values of anything that tells panels apart, only the rows of the one that is wanted."""
    cells, layers = make_cells(depths=(2, 3)), make_layers(depths=(2, 3))
    value = {"initializer": "other", "activation": "other", "width": 8, "architecture": "residual"}.get(field, 0.5)
    others = [pd.concat([table, table.assign(**{field: value})]) for table in (cells, layers)]
    if field in Facet._field_defaults:  # an older run has no such column
        others = [table.fillna({field: Facet._field_defaults[field]}) for table in others]
    folder = write_run(tmp_path / "run", *others)
    read = []
    monkeypatch.setattr(profile, "load_layers", lambda *a, **k: read.append(load_layers(*a, **k)) or read[-1])
    assert main(["profile", str(folder), f"--{field.replace('_', '-')}s", str(value), "--out", str(tmp_path / "a.svg")]) == 0
    assert set(read[0][field]) == {value}
