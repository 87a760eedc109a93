"""Comparisons: whole tables, of networks and of cells with known answers."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench.comparison.compare import CompareError, compare
from bench.comparison.of_run import asked_of, compare_run, to_compare
from bench.sweeps.presets import PRESETS
from bench.theory import predict
from tests.tolerance import run_frame


@pytest.fixture(scope="module")
def cells(tmp_path_factory) -> pd.DataFrame:
    return run_frame(
        tmp_path_factory.mktemp("compare"),
        initializers=["gaussian", "lecun_normal", "jax_lecun", "orthogonal", "critical", "identity"],
        activations=["tanh", "relu", "linear", "softplus"],
        depths=[2, 10, 100, 400],
        widths=[32],
        scales=[1.0, 1.02],
        seeds=16,
        layers=False,
    )


@pytest.fixture(scope="module")
def table(cells) -> pd.DataFrame:
    return compare(cells)


def at(table: pd.DataFrame, initializer: str, activation: str, scale: float = 1.0) -> pd.Series:
    (row,) = (
        row
        for _, row in table.iterrows()
        if (row.initializer, row.activation, row.scale) == (initializer, activation, scale)
    )
    return row


def test_one_scheme_under_two_names_ties_and_two_percent_are_told_apart(table):
    for activation in ("tanh", "relu", "linear"):
        one, other = at(table, "lecun_normal", activation), at(table, "jax_lecun", activation)
        assert one["rank"] == other["rank"]
        assert one.slope == other.slope
        assert at(table, "gaussian", activation)["rank"] != at(table, "gaussian", activation, 1.02)["rank"]
        assert at(table, "critical", activation)["rank"] != at(table, "critical", activation, 1.02)["rank"]


def test_measurements_agree_with_exact_theory(table):
    linear = table[(table.activation == "linear") & (table.law == "exact")]
    assert set(linear.initializer) == {"gaussian", "orthogonal", "critical", "identity"}
    assert (linear.verdict == "agrees").all()
    assert at(table, "orthogonal", "linear").slope == pytest.approx(0, abs=1e-6)
    assert at(table, "identity", "linear", 1.02).slope == pytest.approx(np.log10(1.02), abs=1e-6)
    assert at(table, "identity", "tanh").verdict == "no theory"


def test_what_has_no_critical_point_is_undefined(table):
    row = at(table, "critical", "softplus")
    assert row.verdict == "undefined"
    assert np.isnan(row[["slope", "slope_low", "predicted", "spread", "imbalance", "rank", "depth_1e3"]].astype(float)).all()


def test_rank_by_another_number_orders_by_it_and_keeps_every_rank(table, cells):
    by = compare(cells, rank_by="spread")
    assert set(by.rank_by) == {"spread"}
    for name in ("slope", "imbalance", "spread", "dead"):
        np.testing.assert_array_equal(by[f"rank_{name}"], table[f"rank_{name}"])
    np.testing.assert_array_equal(by["rank"], table.rank_spread)
    assert at(by, "identity", "linear")["rank"] == 1 < at(by, "gaussian", "linear")["rank"]
    assert at(by, "identity", "linear").spread < 1e-5


def test_other_architectures_stand_beside_mean_field_and_gates_are_no_deaths():
    slopes = {"pre_layernorm": np.array([0.02, 0.01]), "residual2:init=rezero": np.zeros(2), "mine:block": np.ones(2)}
    cells = known_cells(slopes)
    cells = cells.assign(architecture=cells["initializer"], initializer="he_normal", activation="relu")
    shut = cells["architecture"] == "residual2:init=rezero"
    cells["log10_grad_first"] = cells["log10_grad_first"].where(~shut, -np.inf)
    table = compare(cells).set_index("architecture")
    assert table["verdict"].to_dict() == {
        "pre_layernorm": "mean field",
        "residual2:init=rezero": "gated",
        "mine:block": "no theory",
    }
    gated, beside = table.loc["residual2:init=rezero"], table.loc["pre_layernorm"]
    assert gated["dead"] == 0
    assert np.isnan([gated["rank"], gated["slope"], gated["depth_1e3"], beside["z"], beside["predicted_low"]]).all()
    scheme = {"initializer": "he_normal", "activation": "relu", "width": cells["width"].iloc[0], "scale": 1.0}
    law = predict(**scheme, depth=102, architecture="pre_layernorm").log10_grad_slope.mean
    below = np.log(10) * (0.005 * 2**0.5 * 100) ** 2 / 100  # the variance of ends that differ by 100 layers of 0.01
    assert beside["predicted"] == pytest.approx(law - below, rel=1e-6)


def test_other_architectures_with_a_law_across_seeds_are_tested():
    """16 slopes around theory's mean, and around one that is 4 standard errors off."""
    scheme = {"architecture": "residual2", "activation": "relu", "width": 16, "scale": 1.0}
    mean, std = predict(**scheme, initializer="gaussian", depth=102).log10_grad_slope
    apart = std * np.linspace(-1.5, 1.5, 16)
    cells = known_cells({"gaussian": mean + apart, "orthogonal": mean + apart}).assign(**scheme)
    shifted = cells["initializer"] == "gaussian"
    off = cells.assign(log10_grad_first=cells["log10_grad_first"] + shifted * std * (cells["depth"] - 2))
    near, far = (compare(each).set_index("initializer").loc["gaussian"] for each in (cells, off))
    assert (near["law"], near["verdict"], far["verdict"]) == ("leading order", "agrees", "differs")
    assert near["z"] == pytest.approx(0, abs=1e-3)
    assert far["z"] == pytest.approx(4, rel=1e-3)
    assert near["predicted_high"] - near["predicted"] == pytest.approx(1.96 * std / 4, rel=1e-3)
    narrow = compare(cells.assign(width=8)).set_index("initializer").loc["gaussian"]  # no law of its slopes
    assert (narrow["law"], narrow["verdict"]) == ("none", "no theory")
    assert np.isnan(narrow[["predicted", "predicted_low", "predicted_high", "z"]].to_numpy(dtype=float)).all()


def known_cells(slopes: dict[str, np.ndarray], dead: dict[str, int] | None = None, **columns) -> pd.DataFrame:
    """Cells at depths 2, 12 and 102 of schemes with these slopes, seed by seed; of so many seeds dead at 102."""
    rows = []
    for name, values in slopes.items():
        for seed, slope in enumerate(values):
            for depth in (2, 12, 102):
                gone = depth == 102 and seed < (dead or {}).get(name, 0)
                grad = -np.inf if gone else (depth - 2) * slope
                rows.append((name, depth, seed, grad, -np.inf if gone else 0.0))
    frame = pd.DataFrame(rows, columns=["initializer", "depth", "seed", "log10_grad_first", "log10_grad_last"])
    return frame.assign(activation="softsign", width=8, bias_std=0.0, scale=1.0, **columns)


def test_a_scheme_with_half_of_its_networks_dead_is_not_first_and_has_no_depth():
    noise = 1e-4 * np.random.default_rng(0).standard_normal((2, 32))
    cells = known_cells({"half": noise[0], "alive": 0.01 + noise[1], "gone": noise[0]}, {"half": 16, "gone": 32})
    found = compare(cells).set_index("initializer")
    assert found["rank"].to_dict() == {"half": 2, "alive": 1, "gone": 3}
    assert found.dead.to_dict() == {"half": 0.5, "alive": 0.0, "gone": 1.0}
    assert found.depth_1e3.to_dict() == {"half": 12, "alive": np.inf, "gone": 12}
    assert found.verdict["gone"] == "undefined"
    assert found.slope["half"] == pytest.approx(noise[0, 16:].mean())


def test_the_worst_layer_and_entries_count_where_a_run_has_them():
    slopes = {"even": np.full(10, 0.01)}
    without = compare(known_cells(slopes)).iloc[0]
    assert (without.depth_1e3, without.depth_1e3_of, without.depth_format_of) == (np.inf, "first layer", "norm")
    cells = known_cells(slopes)
    worst = -0.1 * (cells.depth - 2)
    found = compare(cells.assign(log10_grad_least=worst, log10_grad_largest=cells.log10_grad_first)).iloc[0]
    assert (found.depth_1e3, found.depth_1e3_of) == (32, "all layers")
    entries = compare(cells.assign(log10_entry_median=worst, log10_entry_largest=worst + 1)).iloc[0]
    assert entries.depth_float16 == np.floor(2 + (24 + 1) * np.log10(2) / 0.1)
    assert entries.depth_format_of == "entries"


def test_relative_imbalance_is_ranked_by_where_a_run_has_it_and_refused_elsewhere():
    noise = 1e-3 * np.random.default_rng(1).standard_normal((2, 16))
    cells = known_cells({"a": noise[0], "b": 0.1 + noise[1]})
    with pytest.raises(CompareError, match=r"^rank_by: got 'relative_imbalance', expected .* no log10_relative_first"):
        compare(cells, rank_by="relative_imbalance")
    assert compare(cells).relative_imbalance.isna().all()
    first = np.where(cells.initializer == "a", 2.0, 0.5) + 0.1 * noise[0][cells.seed]
    found = compare(cells.assign(log10_relative_first=first, log10_relative_last=0.25), rank_by="relative_imbalance")
    assert found.relative_imbalance.tolist() == pytest.approx([1.75, 0.25], abs=0.1)
    assert found["rank"].tolist() == [2, 1]
    assert found.rank_slope.tolist() == [1, 2]


def test_a_verdict_is_at_95_percent():
    """Of exact laws about 5 % differ: 1.96 standard errors, not 3."""
    std = predict(initializer="gaussian", activation="linear", width=8, depth=102, scale=1.0).log10_grad_slope.std
    mean = predict(initializer="gaussian", activation="linear", width=8, depth=102, scale=1.0).log10_grad_slope.mean
    for offset, verdict in ((1.9, "agrees"), (2.0, "differs"), (-2.0, "differs")):
        cells = known_cells({"gaussian": np.full(16, mean + offset * std / 4)}).assign(activation="linear")
        (row,) = compare(cells).to_dict("records")
        assert row["z"] == pytest.approx(offset, abs=0.02)
        assert row["verdict"] == verdict


def test_cells_may_come_in_any_order_and_a_cell_that_is_missing_is_none():
    cells = known_cells({"a": np.array([0.1, 0.2, 0.4]), "b": np.array([0.3, 0.1, 0.2])})
    shuffled = cells.sample(frac=1, random_state=0)
    expected, found = (compare(each).sort_values("initializer", ignore_index=True) for each in (cells, shuffled))
    pd.testing.assert_frame_equal(found, expected)
    without = compare(cells[~((cells.initializer == "a") & (cells.seed == 2) & (cells.depth == 102))])
    assert without.slope[0] == pytest.approx(0.15)
    assert without.seeds[0] == 3


def test_a_run_that_keeps_no_rows_says_what_measures_them_again(tmp_path):
    folder = tmp_path / "kept it"
    sweep = to_compare(PRESETS["compare"].sweep)
    for made, command in (
        (sweep, f"`depthscale compare --results {tmp_path} --run 'kept it'`"),
        (PRESETS["atlas"].sweep, f"`depthscale compare atlas --results {tmp_path} --run 'kept it'`"),
        (replace(sweep, seeds=3), "the command that made it"),
    ):
        folder.mkdir(exist_ok=True)
        (folder / "manifest.json").write_text(json.dumps({"sweep": made.to_dict(), "finished": "2026"}))
        with pytest.raises(CompareError) as refused:
            compare_run(folder, isometry_seeds=0, progress=False)
        assert str(refused.value) == (
            f"run: got {str(folder)!r}, which keeps its manifest and no rows; {command} measures them again"
        )


def test_cells_without_depth_2_are_refused(cells):
    with pytest.raises(CompareError, match="run: got one of depths 10, 100, 400, expected 2"):
        compare(cells[cells.depth > 2])


def test_a_preset_leaves_out_what_only_plain_networks_have_unless_it_is_asked_for():
    preset, others = PRESETS["compare"].sweep, {"architectures": ("plain", "residual")}
    assert asked_of(preset, {"seeds": 3}) == (replace(preset, seeds=3), ())
    asked, left_out = asked_of(preset, others)
    assert left_out == ("lsuv",)
    assert {*asked.initializers, *left_out} == {*preset.initializers}
    wanted = others | {"initializers": ("lsuv", "orthogonal")}
    assert asked_of(preset, wanted) == (replace(preset, **wanted), ())
