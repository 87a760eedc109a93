import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color

from analysis.figures.cure import draw_cure, plot_cure
from analysis.numbers.best_rate import best_rate
from analysis.numbers.reached import first_gradients, learning_times
from analysis.rows.select import SelectionError
from tests.analysis.conftest import make_trained

NAMES = ("plain", "residual", "residual2:init=rezero")
DEPTHS = (8, 32, 152)
RUN = {"target": "accuracy=0.9", "steps": 200}
RATES = {"plain": (0.01, 0.1), "residual": (0.1, 0.01), "residual2:init=rezero": (0.1, 0.01)}  # best, worse


def rows_of(name: str) -> pd.DataFrame:
    """Plain networks need as many steps as they are deep, others ten; residual ones diverge at once at depth 152."""
    rows = make_trained(depths=DEPTHS, scales=(1.0,)).assign(architecture=name)
    needed = (rows["depth"] if name == "plain" else 10.0) + rows["seed"] + 100 * (rows["learning_rate"] != RATES[name][0])
    lost = (rows["depth"] == 152) & (name == "residual")
    decades = {"plain": -0.1, "residual": 0.2, "residual2:init=rezero": -np.inf}[name] * rows["depth"]
    return rows.assign(
        steps_to_target=np.where(lost | (needed >= 200), np.inf, needed),
        diverged_at=np.where(lost, 0.0, np.inf),
        log10_grad_first=np.where(lost, np.nan, decades + 0.01 * rows["seed"]),
    )


CELLS = pd.concat(map(rows_of, NAMES), ignore_index=True)


def of(table: pd.DataFrame, name: str, column: str) -> list[float]:
    return table[table["architecture"] == name].sort_values("depth")[column].tolist()


def test_every_architecture_has_a_best_rate_of_its_own():
    chosen = best_rate(CELLS)
    for name, (best, _) in RATES.items():
        assert set(chosen.loc[(chosen["architecture"] == name) & (chosen["depth"] == 8), "learning_rate"]) == {best}
    times = learning_times(CELLS)
    assert of(times, "plain", "median") == [9, 33, 153]
    assert of(times, "residual", "median") == [11, 11, np.inf]
    assert of(times, "residual2:init=rezero", "median") == [11, 11, 11]


def test_first_gradients_are_those_of_the_seeds_whatever_the_rate():
    table = first_gradients(CELLS)
    np.testing.assert_allclose(of(table, "plain", "median"), -0.1 * np.array(DEPTHS) + 0.01)
    np.testing.assert_allclose(of(table, "plain", "high"), -0.1 * np.array(DEPTHS) + 0.02)
    assert of(table, "residual", "median")[-1] == np.inf  # its loss is beyond range
    assert of(table, "residual2:init=rezero", "median") == [-np.inf] * 3


def test_both_panels_show_what_is_finite_and_put_the_rest_into_bands():
    figure = draw_cure(CELLS, **RUN)
    figure.draw_without_rendering()
    gradients, steps = figure.axes
    for ax, hollow in ((gradients, 3 + 1), (steps, 1)):
        drawn = [line for line in ax.lines if line.get_marker() not in ("None", "")]
        assert sum(len(line.get_xdata()) for line in drawn if same_color(line.get_markerfacecolor(), "white")) == hollow
        low, high = ax.get_ylim()
        heights = np.concatenate([np.asarray(line.get_ydata(), float) for line in drawn])
        shown = heights[np.isfinite(heights)]
        assert ((shown > low) & (shown < high)).all()
    words = {text.get_text() for ax in figure.axes for text in ax.texts}
    assert words == {"exactly zero", "loss beyond range", "not within 200 steps"}
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(NAMES)
    assert "best of 2 learning rates" in legend.get_title().get_text()


def test_one_panel_is_of_one_setting():
    ax = plot_cure(CELLS, **RUN)
    assert ax.get_ylabel() == "steps to accuracy 0.9"
    other = CELLS.assign(activation="relu")
    with pytest.raises(SelectionError, match="SELECTION: got '2 settings, 1 scales'"):
        plot_cure(pd.concat([CELLS, other]), **RUN)
