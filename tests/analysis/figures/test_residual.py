import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PatchCollection, QuadMesh
from matplotlib.figure import Figure

from analysis.figures.residual import FAIL, LEVELS, LOOKS, NORM, draw_residuals, plot_residual
from analysis.numbers.agreement import PASSES, TOLERANCE, agreement
from analysis.rows.select import SelectionError
from bench.theory import predict
from tests.analysis.conftest import make_cells

AXES = {"depths": (3, 5, 10, 20), "scales": (0.5, 1.0, 2.0), "widths": (64,)}


def predicted(rows):
    keys = ["initializer", "activation", "width", "depth", "scale", "bias_std"]
    return np.array([predict(**cell).log10_grad_first for cell in rows[keys].to_dict("records")])


def off_by(errors, seeds=4, **axes):
    """Cells whose mean over seeds lies so many standard errors above theory; seeds lie a decade apart."""

    def norm(rows):
        mean, std = predicted(rows).T
        return mean + errors * std / np.sqrt(seeds) + rows["seed"] - (seeds - 1) / 2

    return make_cells(seeds=seeds, log10_norm=norm, **AXES | axes)


def mesh_of(ax):
    (mesh,) = [artist for artist in ax.collections if isinstance(artist, QuadMesh)]
    return mesh


def patches_of(ax):
    return [artist for artist in ax.collections if isinstance(artist, PatchCollection)]


def legend_of(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize(("errors", "verdict"), [(0, "pass"), (1.9, "pass"), (-2.0, "fail"), (50, "fail")])
@pytest.mark.parametrize("activation", ["linear", "tanh"])
def test_errors_are_the_means_in_standard_errors(errors, verdict, activation):
    table = agreement(off_by(errors, activations=(activation,)))
    assert len(table) == 12
    np.testing.assert_allclose(table["z"], errors, atol=1e-9)
    assert set(table["verdict"]) == {verdict}
    assert set(table["seeds"]) == {4}
    assert set(table["law"]) == {"exact" if activation == "linear" else "leading order"}


def test_each_input_norm_has_its_own_prediction():
    """An input of 10 √n saturates tanh's first layer; ReLU's gradient is 10 times larger."""
    for activation in ("tanh", "relu"):
        cells = make_cells(activations=(activation,), **AXES)
        keys = ["initializer", "activation", "width", "bias_std", "depth", "scale"]
        both = []
        for norm in (1.0, 10.0):
            laws = [predict(**cell, input_norm=norm).log10_grad_first.mean for cell in cells[keys].to_dict("records")]
            both.append(cells.assign(log10_grad_first=laws, input_norm=norm))
        assert np.abs(both[0]["log10_grad_first"] - both[1]["log10_grad_first"]).min() > 0.1
        table = agreement(pd.concat(both))
        assert len(table) == 24
        np.testing.assert_allclose(table["z"], 0, atol=1e-9)


def test_where_nothing_is_random_the_error_is_the_measurements():
    cells = make_cells(initializers=("identity",), seeds=2, **AXES)
    exact = (cells["depth"] - 2) * np.log10(cells["scale"]) + np.log10(64) / 2
    table = agreement(cells.assign(log10_grad_first=exact + 2 * TOLERANCE * cells["depth"]))
    np.testing.assert_allclose(table["error"], TOLERANCE * table["depth"])
    np.testing.assert_allclose(table["z"], 2, rtol=1e-6)


def test_dead_seeds_are_left_out_counted_and_said():
    cells = off_by(0, activations=("relu",))
    dead = (cells["depth"] == 20) & (cells["seed"] < 2)
    cells.loc[dead, "log10_grad_first"] = -np.inf
    all_dead = (cells["depth"] == 10) & (cells["scale"] == 0.5)
    cells.loc[all_dead, "log10_grad_first"] = -np.inf
    table = agreement(cells).set_index(["depth", "scale"])
    assert table.loc[20, "dead"].tolist() == [2, 2, 2]
    mean = cells[(cells["depth"] == 20) & ~dead].groupby("scale")["log10_grad_first"].mean()
    np.testing.assert_allclose(table.loc[20].sort_index()["mean"], mean)
    assert table.loc[(10, 0.5), "verdict"] == "zero"
    assert np.isnan(table.loc[(10, 0.5), "z"])
    ax = plot_residual(table.reset_index())
    assert [patch.get_hatch() for patch in patches_of(ax)] == [LOOKS["zero"]["hatch"]]
    assert any("10 gradients are exactly zero" in entry for entry in legend_of(ax.figure))


def test_cells_without_theory_and_undefined_ones_are_neither_passed_nor_failed():
    cells = off_by(0, activations=("tanh",))
    unknown = make_cells(initializers=("identity",), activations=("tanh",), **AXES)
    own = make_cells(activations=("mine:function",), **AXES)
    assert set(agreement(unknown)["verdict"]) == set(agreement(own)["verdict"]) == {"no theory"}
    assert all("identity weights" in reason for reason in agreement(unknown)["reason"])
    cells.loc[(cells["depth"] == 5) & (cells["seed"] == 0), "log10_grad_first"] = np.nan
    table = agreement(cells)
    assert set(table["verdict"][table["depth"] == 5]) == {"undefined"}
    assert set(table["verdict"][table["depth"] != 5]) == {"pass"}
    ax = plot_residual(table)
    assert len(patches_of(ax)[0].get_paths()) == 3
    assert np.ma.getmaskarray(mesh_of(ax).get_array())[:, 1].all()
    assert any(entry.startswith("undefined (3") for entry in legend_of(ax.figure))


def test_other_architectures_are_beside_mean_field_and_not_tested():
    """Of normal logarithms whose squares have theory's mean, most are near it; gates are shut by design."""
    names = ("pre_layernorm", "residual2:init=rezero", "mine:block")
    cells = make_cells(activations=("relu",), architectures=names, seeds=64, **AXES)
    generator, std = np.random.default_rng(0), 0.4
    keys = ["initializer", "activation", "width", "bias_std", "depth", "scale", "architecture"]
    laws = [predict(**cell).log10_grad_first.typical(std) for cell in cells[keys].to_dict("records")]
    values = np.array(laws) + std * generator.standard_normal(len(cells))
    values = np.where(cells["architecture"] == names[1], -np.inf, np.nan_to_num(values))
    table = agreement(cells.assign(log10_grad_first=values)).groupby("architecture")
    assert {name: set(rows["verdict"]) for name, rows in table} == {
        names[0]: {"mean field"},
        names[1]: {"gated"},
        names[2]: {"no theory"},
    }
    near = table.get_group(names[0])
    assert (np.abs(near["z"]) <= PASSES).mean() > 0.8
    ax = plot_residual(near)
    assert ax.get_title().endswith("near mean field")
    assert not [line for line in ax.lines if len(line.get_xdata())]  # no crosses
    assert any(entry.startswith("gated") for entry in legend_of(plot_residual(table.get_group(names[1])).figure))


def test_a_map_of_which_theory_tests_a_part_counts_both():
    """RMSNorm before ReLU: an exact law, but where what a normalization adds counts."""
    axes = AXES | {"widths": (32,), "scales": (0.01, 1.0)}
    cells = make_cells(activations=("relu",), architectures=("normed:norm=rms",), seeds=64, **axes)
    keys = ["initializer", "activation", "width", "bias_std", "depth", "scale", "architecture"]
    laws = [predict(**cell).log10_grad_first for cell in cells[keys].to_dict("records")]
    values = np.array([law.typical(0.1) if np.isnan(law.std) else law.mean for law in laws])
    table = agreement(cells.assign(log10_grad_first=values + 0.1 * np.random.default_rng(0).standard_normal(len(cells))))
    assert set(table["verdict"][table["scale"] == 1.0]) == {"pass"}
    assert set(table["verdict"][table["scale"] == 0.01]) == {"mean field"}
    title = " ".join(plot_residual(table).get_title().split())
    assert "pass, " in title
    assert title.endswith("near mean field")


def test_the_mesh_is_the_errors_and_has_a_step_at_what_passes():
    table = agreement(off_by(1.5))
    mesh = mesh_of(plot_residual(table))
    np.testing.assert_allclose(mesh.get_array(), 1.5)
    assert {-PASSES, PASSES} <= set(LEVELS)
    assert (NORM.vmin, NORM.vmax) == (-6, 6)
    shades = mesh.cmap(NORM([1.5, 2.5, -1.5, -2.5]))[:, :3].sum(axis=1)
    assert (shades[[0, 2]] - shades[[1, 3]] > 0.5).all()


def test_errors_beyond_the_colours_are_said():
    table = agreement(off_by(40))
    assert any("colours end at ±6; data reach 40 and 40" in entry for entry in legend_of(plot_residual(table).figure))
    assert not any("colours end" in entry for entry in legend_of(plot_residual(agreement(off_by(1))).figure))


def crosses_of(ax):
    (line,) = [line for line in ax.lines if line.get_marker() == FAIL["marker"]]
    return sorted(zip(line.get_xdata(), line.get_ydata(), strict=True))


def test_what_fails_is_crossed_and_the_title_counts_what_passes():
    cells = off_by(0, activations=("tanh",))
    cells.loc[(cells["scale"] == 2.0) & (cells["depth"] > 4), "log10_grad_first"] += 100
    ax = plot_residual(agreement(cells))
    assert crosses_of(ax) == [(5, 2.0), (10, 2.0), (20, 2.0)]
    assert ax.get_title() == "gaussian, tanh\n75.0 % of 12 pass"
    assert f"beyond {PASSES:g} standard errors, as 5 % are by chance (3 of 12 cells)" in legend_of(ax.figure)
    none = plot_residual(agreement(make_cells(initializers=("identity",), activations=("tanh",), **AXES)))
    assert crosses_of(none) == []
    assert "no theory" in none.get_title()
    assert legend_of(none.figure) == ["no theory (12 cells)"]


def test_the_whole_figure_has_a_map_of_every_pair():
    cells = off_by(0, initializers=("gaussian", "orthogonal"), activations=("tanh", "relu", "linear"))
    cells = cells[(cells["initializer"] != "orthogonal") | (cells["activation"] != "relu")]
    figure = draw_residuals(agreement(cells))
    figure.draw_without_rendering()
    panels = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    assert sorted(ax.axison for ax in panels) == [False, True, True, True, True, True]
    titles = {tuple(ax.get_title().split("\n")) for ax in panels if ax.axison}
    pairs = set(map(tuple, cells[["initializer", "activation"]].to_numpy()))
    assert titles == {(f"{i}, {a}", "100.0 % of 12 pass") for i, a in pairs}
    assert legend_of(figure) == [f"beyond {PASSES:g} standard errors, as 5 % are by chance (0 of 60 cells)"]


@pytest.mark.parametrize("axes", [{"depths": (5,)}, {"scales": (1.0,)}, {"depths": (2,), "scales": (1.0,)}])
def test_small_runs_draw(axes):
    draw_residuals(agreement(off_by(0, **axes))).draw_without_rendering()


def test_one_panel_refuses_several_facets():
    with pytest.raises(SelectionError, match="activations: got 2"):
        plot_residual(agreement(off_by(0, activations=("tanh", "relu"))))


def test_an_axes_that_is_given_is_labelled_and_gets_its_key_if_asked():
    table = agreement(off_by(0))
    figure = Figure(layout="constrained")
    plain, keyed = figure.subplots(1, 2)
    assert plot_residual(table, ax=plain) is plain
    assert (plain.get_ylabel(), plain.get_title().split("\n")[0]) == ("weight scale", "gaussian, linear")
    assert plain.get_legend() is None
    plot_residual(table, ax=keyed, key=True)
    assert keyed.get_legend() is not None
    assert len(figure.axes) == 3
