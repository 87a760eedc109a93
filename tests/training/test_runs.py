"""Trainings as a whole: what is learned where, what diverges, what is reported, and that nothing depends on company.

The same cell has the same numbers alone, in a grid, in other chunks and after a kill: bit for bit, on one machine, since the
arrays that a device works on have the same shapes whatever the grid. Other numbers of devices are other programs: they round
differently, which training amplifies as it does any difference.
"""

import json
import os
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import bench
import bench.training.plan
import bench.training.sizes
from bench.cli.main import main
from bench.training.rows import convergence, late_accuracy_gain, recorded_steps
from tests.tolerance import own_programs

KEYS = ["task", "initializer", "activation", "width", "bias_std", "depth", "scale", "optimizer", "learning_rate", "seed"]
GRID = {
    "task": "teacher:inputs=12,examples=200,outputs=4",
    "initializers": ["gaussian", "he_gaussian", "orthogonal"],
    "activations": ["tanh"],
    "depths": [2, 6],
    "scales": [0.7, 1.0, 1.5],
    "widths": [8],
    "optimizers": ["sgd", "adam"],
    "learning_rates": [0.01, 0.1],
    "seeds": 2,
    "steps": 70,
    "batch": 16,
    "target": "accuracy=0.5",
}
doubled = bench.Activation("tanh", "another tanh", lambda z: jnp.tanh(2 * z))
renamed = bench.Activation("doubled", "the same", lambda z: jnp.tanh(2 * z))
SCRIPT = (
    "import bench, json, sys; bench.train(bench.Training(**json.loads(sys.argv[1])), results=sys.argv[2], progress=False)"
)


def square_only(key, shape, dtype):
    if shape[0] != shape[1]:
        raise ValueError("a square, please")
    return jax.random.normal(key, shape, dtype)


def trained(folder, kind="cells", **fields) -> pd.DataFrame:
    return pd.read_parquet(bench.train(bench.Training(**fields), results=folder, progress=False) / kind)


def assert_contained(part: pd.DataFrame, whole: pd.DataFrame) -> None:
    keys = [*KEYS, *(["step"] if "step" in part else [])]
    found = part[keys].merge(whole, on=keys, how="left", validate="one_to_one")
    pd.testing.assert_frame_equal(part.reset_index(drop=True), found[part.columns.tolist()], check_exact=True)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    folder = bench.train(bench.Training(**GRID), results=tmp_path_factory.mktemp("grid"), progress=False)
    return {kind: pd.read_parquet(folder / kind) for kind in ("cells", "curves")}


def test_every_cell_has_a_row_and_every_row_its_cell(grid):
    cells, curves = grid["cells"], grid["curves"]
    assert len(cells) == 3 * 2 * 3 * 2 * 2 * 2
    assert not cells.duplicated(KEYS).any()
    assert cells.columns.tolist() == [
        *("architecture", "task", "initializer", "activation", "width", "bias_std", "depth", "scale"),
        *("optimizer", "learning_rate", "readout_learning_rate", "schedule", "clip", "seed"),
        *("final_train_loss", "final_train_accuracy", "test_loss", "test_accuracy", "late_accuracy_gain"),
        *("steps_to_target", "diverged_at", "convergence", "log10_grad_first", "log10_grad_last", "log10_update_ratio"),
    ]
    steps = recorded_steps(GRID["steps"])
    assert (steps[0], steps[-1], len(set(steps))) == (0, 69, len(steps))
    assert len(curves) == len(cells) * len(steps)
    assert curves.columns.tolist() == [
        *cells.columns[:14],
        *("step", "loss", "accuracy", "log10_grad_first", "log10_grad_middle", "log10_grad_last", "log10_update_ratio"),
    ]
    begun = curves[curves.step == 0].merge(cells, on=KEYS, suffixes=("", "_of_cell"), validate="one_to_one")
    for name in ("log10_grad_first", "log10_grad_last", "log10_update_ratio"):
        assert (begun[name] == begun[f"{name}_of_cell"]).all()
    assert (begun.log10_grad_first[begun.depth == 2] == begun.log10_grad_last[begun.depth == 2]).all()
    assert cells.final_train_loss.notna().all()


def test_a_scheme_with_biases_of_its_own_says_their_size(tmp_path):
    fields = {"initializers": ["torch_linear"], "optimizers": ["sgd"], "depths": [2], "seeds": 1, "curves": False}
    np.testing.assert_allclose(trained(tmp_path, **GRID | fields).bias_std, (3 * 8) ** -0.5)


@pytest.mark.optimized
def test_a_cell_alone_has_the_bits_it_has_in_company(tmp_path, grid):
    one = {"initializers": ["he_gaussian"], "depths": [6], "scales": [1.5], "seeds": 1}
    for kind in ("cells", "curves"):
        assert_contained(trained(tmp_path, kind, **GRID | one | {"learning_rates": [0.1]}), grid[kind])


@pytest.mark.optimized
def test_the_chunking_does_not_show(tmp_path, monkeypatch, grid):
    monkeypatch.setattr(bench.training.sizes, "CHUNK_WORK", 1.0)
    small = GRID | {"depths": [6]}
    assert len(bench.training.plan.plan(bench.Training(**small))) == 2 * (3 + 2)
    for kind in ("cells", "curves"):
        assert_contained(trained(tmp_path, kind, **small), grid[kind])


@pytest.mark.thorough
def test_other_numbers_of_devices_differ_by_rounding_and_no_more(tmp_path):
    """In a process of its own, since JAX fixes its devices when it starts; 132 cells do not divide by 3 × 64."""
    fields = GRID | {"initializers": ["gaussian", "he_gaussian"], "optimizers": ["sgd"], "depths": [6], "seeds": 11}
    flags = {"JAX_NUM_CPU_DEVICES": "3"}
    command = [sys.executable, "-c", SCRIPT, json.dumps(fields), str(tmp_path)]
    subprocess.run(command, env=os.environ | flags, check=True)
    folder = tmp_path / "training"
    assert json.loads((folder / "manifest.json").read_text())["device"]["count"] == 3
    several, here = pd.read_parquet(folder / "cells"), trained(tmp_path / "here", **fields)
    assert (several[KEYS] == here[KEYS]).all().all()
    for name in ("log10_grad_first", "log10_grad_last", "log10_update_ratio", "final_train_loss"):
        np.testing.assert_allclose(several[name], here[name], atol=1e-4, rtol=1e-4)


@pytest.mark.thorough
def test_killed_and_resumed_it_is_as_if_nothing_happened(tmp_path, grid):
    environment = os.environ | {
        "JAX_COMPILATION_CACHE_DIR": own_programs(tmp_path),
        "JAX_NUM_CPU_DEVICES": str(jax.local_device_count()),
    }
    command = [sys.executable, "-c", SCRIPT, json.dumps(GRID), str(tmp_path)]
    folder, progressed = tmp_path / "training", set()
    for _ in range(3):
        process = subprocess.Popen(command, env=environment)
        before = len(list(folder.glob("cells/*.parquet")))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if len(list(folder.glob("cells/*.parquet"))) > before + 1:
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        progressed.add(len(list(folder.glob("cells/*.parquet"))))
    assert len(progressed) > 1
    whole = trained(tmp_path, **GRID)
    assert len(whole) == len(grid["cells"])
    assert_contained(whole, grid["cells"])
    manifest = json.loads((folder / "manifest.json").read_text())
    assert bench.Training.from_dict({k: v for k, v in manifest["training"].items() if k != "data"}) == bench.Training(**GRID)
    assert manifest["resumed"]
    assert manifest["finished"]
    with pytest.raises(bench.RunError, match=r"another training \(steps differ\)"):
        trained(tmp_path, **GRID | {"steps": 71})
    with pytest.raises(bench.RunError, match="another sweep"):
        bench.run(bench.Sweep(), results=tmp_path, name="training", progress=False)


def test_what_diverges_is_marked_and_carried_on_and_leaves_its_neighbours_alone(tmp_path):
    fields = GRID | {"initializers": ["gaussian"], "activations": ["linear"], "optimizers": ["sgd"], "loss": "mse"}
    fields |= {"scales": [0.5, 0.8]}
    both = bench.train(
        bench.Training(**fields | {"depths": [6], "learning_rates": [0.01, 100.0]}), results=tmp_path, progress=False
    )
    cells, curves = pd.read_parquet(both / "cells"), pd.read_parquet(both / "curves")
    wild = cells[cells.learning_rate == 100]
    assert len(wild) == 4
    assert wild.diverged_at.between(1, 69).all()
    assert wild.loc[:, "final_train_loss":"test_accuracy"].isna().all().all()
    assert np.isinf(wild.steps_to_target).all()
    assert np.isfinite(wild.log10_grad_first).all()
    merged = curves.merge(wild, on=KEYS, suffixes=("", "_first"))
    assert len(merged) == 4 * len(recorded_steps(70))
    after = merged.step > merged.diverged_at
    assert after.any()
    assert merged.loc[after, "loss"].isna().all()
    assert np.isfinite(merged.loc[merged.step < merged.diverged_at, "loss"]).all()
    at = merged[merged.step == merged.diverged_at]
    assert not np.isfinite(at.loss).any()
    alone = trained(tmp_path / "alone", **fields | {"depths": [6], "learning_rates": [0.01]})
    assert np.isinf(alone.diverged_at).all()
    assert_contained(alone, cells)


def test_clipping_saves_what_explodes(tmp_path):
    fields = GRID | {"initializers": ["gaussian"], "activations": ["linear"], "optimizers": ["sgd"], "loss": "mse"}
    fields |= {"depths": [6], "scales": [3.0], "learning_rates": [0.1]}
    assert np.isfinite(trained(tmp_path / "free", **fields).diverged_at).all()
    clipped = trained(tmp_path / "clipped", **fields | {"clip": 1.0})
    assert np.isinf(clipped.diverged_at).all()
    assert (clipped["clip"] == 1).all()


def test_what_underflows_in_float32_is_reported_as_zero_and_float64_reaches_further(tmp_path):
    fields = GRID | {"initializers": ["identity"], "activations": ["linear"], "optimizers": ["sgd"], "steps": 2, "seeds": 1}
    fields |= {"depths": [42], "scales": [0.1, 0.2], "widths": [12], "learning_rates": [0.1]}
    single, double = (trained(tmp_path / dtype, **fields | {"dtype": dtype}) for dtype in ("float32", "float64"))
    assert single.log10_grad_first[single.scale == 0.1].item() == -np.inf
    # 41 factors of 0.1 meet W_1: 40 hidden matrices above it, and the gradient's own size is near 1 in decades
    assert -42 < double.log10_grad_first[double.scale == 0.1].item() < -38
    within = single.log10_grad_first[single.scale == 0.2].item()
    assert -30 < within < -26  # though its squares are far below float32


def test_the_target_is_reached_when_a_window_of_minibatches_says_so(tmp_path, grid):
    reached = grid["cells"].steps_to_target
    assert np.isinf(reached).any()
    assert np.isfinite(reached).any()
    assert reached[np.isfinite(reached)].between(9, 69).all()
    fields = {"task": "saxe:inputs=8,outputs=8", "activations": ["linear"], "widths": [8], "loss": "mse", "steps": 400}
    fields |= {"depths": [2], "scales": [1.0], "learning_rates": [0.05], "target": "loss=1.0"}
    folder = bench.train(bench.Training(**fields), results=tmp_path, progress=False)
    row = pd.read_parquet(folder / "cells").iloc[0]
    curve = pd.read_parquet(folder / "curves").set_index("step").loss
    assert (curve.diff().dropna() < 0).all()  # all examples in every step
    assert curve[curve.index < row.steps_to_target].min() > 1.0 >= curve[curve.index >= row.steps_to_target].max()


def test_the_readout_has_learning_rates_of_its_own(tmp_path):
    fields = GRID | {"initializers": ["gaussian"], "optimizers": ["sgd"], "depths": [6], "scales": [1.0], "seeds": 1}
    both = trained(tmp_path / "both", **fields | {"readout_learning_rates": [0.0, 0.1]})
    assert sorted(zip(both.learning_rate, both.readout_learning_rate, strict=True)) == [
        (0.01, 0.0),
        (0.01, 0.1),
        (0.1, 0.0),
        (0.1, 0.1),
    ]
    same = trained(tmp_path / "same", **fields)
    assert (same.learning_rate == same.readout_learning_rate).all()
    pd.testing.assert_frame_equal(
        both[(both.learning_rate == 0.1) & (both.readout_learning_rate == 0.1)].reset_index(drop=True),
        same[same.learning_rate == 0.1].reset_index(drop=True),
    )
    assert both.final_train_loss.nunique() == 4


def test_without_curves_none_are_kept_and_the_rows_are_the_same(tmp_path, grid):
    small = {"initializers": ["orthogonal"], "depths": [2], "optimizers": ["adam"]}
    folder = bench.train(bench.Training(**GRID | small, curves=False), results=tmp_path, progress=False)
    assert not (folder / "curves").exists()
    assert_contained(pd.read_parquet(folder / "cells"), grid["cells"])


def test_a_loss_beyond_the_range_has_no_gradient(tmp_path):
    fields = GRID | {"initializers": ["gaussian"], "activations": ["relu", "gelu"], "optimizers": ["sgd"], "steps": 3}
    folder = bench.train(
        bench.Training(**fields | {"depths": [100], "scales": [16.0], "widths": [16]}), results=tmp_path, progress=False
    )
    cells, curves = (pd.read_parquet(folder / kind) for kind in ("cells", "curves"))
    assert (cells.diverged_at == 0).all()
    for name in ("log10_grad_first", "log10_grad_last", "log10_update_ratio"):
        assert cells[name].isna().all()  # not -inf, which is an exact zero
        assert curves[name].isna().all()


def test_an_activation_of_one_s_own_is_differentiated_whatever_its_name(tmp_path):
    fields = GRID | {"initializers": ["gaussian"], "optimizers": ["sgd"], "depths": [6], "scales": [1.0], "seeds": 1}
    own = trained(tmp_path / "own", **fields | {"activations": ["tests.training.test_runs:doubled"]})
    plain = trained(tmp_path / "plain", **fields | {"activations": ["tests.training.test_runs:renamed"]})
    for name in ("log10_grad_first", "final_train_loss", "log10_update_ratio"):
        np.testing.assert_allclose(own[name], plain[name], rtol=1e-5)


def test_convergence_is_the_signed_measure_of_the_paper(tmp_path):
    steps = 30
    flat, falling, rising = np.ones(steps), 2.0 * 0.5 ** np.arange(steps), 3.0 * 2.0 ** np.arange(steps)
    late = np.where(np.arange(steps) < 25, 1.0, np.inf)
    empty, lost = np.zeros(steps), np.full(steps, np.nan)
    found = convergence(np.stack([flat, falling, rising, late, empty, lost]))
    np.testing.assert_allclose(found[:2], [steps, -(2 - 2.0 ** (1 - steps))])
    ratios = np.minimum(2.0 ** np.arange(steps), 1e6)
    np.testing.assert_allclose(found[2:4], [(1 / ratios).sum(), 25 + 5e-6])
    assert np.isnan(found[4:]).all()
    fields = {"task": "noise:inputs=4,examples=20", "widths": [4], "depths": [2], "loss": "mse", "batch": 20, "steps": 60}
    fields |= {"target": "loss=0.1"}
    cells = trained(tmp_path, **fields, learning_rates=[0.01, 0.1, 300.0]).query("scale == 1")
    assert (cells.convergence.to_numpy()[:2] < 0).all()
    assert 1 <= cells.convergence.to_numpy()[2] < 60
    folder = tmp_path / "training"
    losses = pd.read_parquet(folder / "curves").query("scale == 1 and learning_rate == 0.01").loss
    assert -60 < cells.convergence.iloc[0] < -60 * losses.iloc[-1] / losses.iloc[0]


def test_what_is_gained_late_is_the_slope_of_accuracy_over_a_tenth_of_the_steps():
    steps = np.arange(200.0)
    rising, at_once, noisy = steps / 400, np.where(steps < 150, 0.1, 0.9), np.random.default_rng(0).random(200)
    found = late_accuracy_gain(np.stack([rising, at_once, noisy, np.where(steps < 199, rising, np.nan)]))
    assert found[:2] == pytest.approx([20 / 400, 0])
    assert abs(found[2]) < 4 * np.sqrt(2 / 12 / 20)
    assert np.isnan(found[3])
    assert late_accuracy_gain(np.array([[0.2, 0.7]])) == pytest.approx([0.5])
    assert np.isnan(late_accuracy_gain(np.array([[0.2]])))


@pytest.mark.thorough
def test_at_the_edge_of_chaos_digits_are_learned_at_a_depth_where_they_are_not_off_it(tmp_path):
    """Budget: depth 48, width 32, orthogonal tanh, 300 steps of SGD at 0.03 on minibatches of 64, 3 seeds."""
    cells = trained(
        tmp_path,
        initializers=["orthogonal"],
        depths=[48],
        scales=[0.6, 1.0, 1.8],
        learning_rates=[0.03],
        steps=300,
        seeds=3,
    ).set_index("scale")
    for scale, low, high in ((0.6, 0, 0.5), (1.0, 0.9, 1), (1.8, 0, 0.5)):
        assert cells.loc[scale, "test_accuracy"].between(low, high).all()
    assert np.isfinite(cells.loc[1.0, "steps_to_target"]).all()
    assert np.isinf(cells.loc[[0.6, 1.8], "steps_to_target"]).all()
    # the lecture's reason: off the edge the first step is thousands of times too small, or chaos leads nowhere
    assert (cells.loc[0.6, "log10_update_ratio"] < cells.loc[1.0, "log10_update_ratio"].min() - 6).all()


@pytest.mark.thorough
def test_a_training_compiles_as_often_as_it_should_and_no_more(tmp_path):
    compiled = []

    def listen(event, _duration, **details):
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(str(details.get("fun_name")))

    jax.clear_caches()
    jax.monitoring.register_event_duration_secs_listener(listen)
    base = GRID | {"initializers": ["gaussian"], "activations": ["tanh"], "optimizers": ["sgd"], "depths": [6]}

    def count(name: str, **fields) -> tuple[int, int]:
        compiled.clear()
        bench.train(bench.Training(**base | fields), results=tmp_path, name=name, progress=False)
        programs = [
            program for program in compiled if any(word in program for word in ("draw", "start", "train", "evaluate"))
        ]
        return sum("train" in program for program in programs), len(programs)

    try:
        assert count("first") == (1, 5)  # two draws, start, train, evaluate
        numbers = {"scales": [0.1 * n for n in range(30)], "learning_rates": [1e-3, 3.0], "seeds": 1, "key": 7}
        assert count("other-numbers", **numbers) == (0, 0)
        assert count("schedule", schedule="warmup_cosine", target="loss=0.1") == (0, 0)
        assert count("of-the-family", initializers=["he_gaussian", "critical"]) == (0, 0)
        assert count("family", initializers=["he_uniform"]) == (0, 2)
        assert count("activation", activations=["relu"]) == (1, 2)
        assert count("optimizer", optimizers=["adam"]) == (1, 2)
        assert count("depth", depths=[7]) == (1, 3)
        assert count("clipped", clip=1.0) == (1, 1)
        assert count("other-norm", clip=2.0) == (0, 0)
    finally:
        jax.monitoring.clear_event_listeners()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--optimizers", "adan2"], ["--optimizers", "adan2", "did you mean adan"]),
        (["--optimizers", "sgd:momentum"], ["--optimizers", "sgd:momentum", "ARGUMENT=VALUE"]),
        (["--task", "digts"], ["--task", "digts", "did you mean digits"]),
        (["--task", "saxe:values=1/2/3,inputs=2"], ["--task", "singular values"]),
        (["--data", "missing.npz"], ["--data", "missing.npz", "exists"]),
        (["--data", "x" * 300 + ".npz"], ["--data", "too long"]),
        (["--task", "noise"], ["--loss", "cross_entropy", "one output"]),
        (["--task", "noise", "--loss", "mse"], ["--target", "accuracy=0.9", "one output"]),
        (["--task", "teacher:outputs=0"], ["--task", "outputs=0", "whole number"]),
        (["--task", "teacher:examples=0"], ["--task", "examples=0", "whole number"]),
        (["--task", "saxe:values=nan"], ["--task", "finite"]),
        (["--initializers", "tests.training.test_runs:square_only"], ["--initializers", "square_only", "[64, 32]"]),
        (["--data", "digits"], ["--data", "file.npz"]),
        (["--data", "a.npz", "--task", "digits"], ["--data", "either"]),
        (["--schedule", "linear"], ["--schedule", "linear", "warmup_cosine"]),
        (["--readout-learning-rates", "0.1", "-2"], ["--readout-learning-rates", "-2.0"]),
        (["--learning-rates", "-1"], ["--learning-rates", "-1"]),
        (["--learning-rates", "often"], ["--learning-rates", "often"]),
        (["--clip", "-1"], ["--clip", "-1"]),
        (["--steps", "0"], ["--steps", "0"]),
        (["--steps", "2:8:3"], ["--steps", "one number"]),
        (["--batch", "1.5"], ["--batch", "1.5"]),
        (["--loss", "output"], ["--loss", "output", "cross_entropy"]),
        (["--target", "accuracy=2"], ["--target", "accuracy=2"]),
        (["--target", "speed=1"], ["--target", "speed=1", "loss=0.1"]),
        (["--depths", "1"], ["--depths", "1"]),
        (["--architectures", "residul"], ["--architectures", "residul", "did you mean residual"]),
        (["--architectures", "batchnorm", "--batch", "1"], ["--batch", "1", "a batch of 2 or more"]),
        (["--architectures", "residual", "--length", "5"], ["--length", "5", "divisor", "64 inputs"]),
        (["--architectures", "residual", "--initializers", "lsuv"], ["--initializers", "lsuv", "residual"]),
        (["--architectures", "residual", "--task", "saxe:aligned=true"], ["--architectures", "plain"]),
        (["digtis"], ["preset", "digtis", "did you mean digits"]),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    for word in words:
        assert word in printed.err
    assert list(tmp_path.iterdir()) == []


def test_presets_are_what_they_say():
    assert set(bench.TRAININGS) == {"digits", "saxe", "schoenholz", "remedies", "boundary"}
    with pytest.raises(TypeError):
        bench.TRAININGS["mine"] = bench.TRAININGS["saxe"]  # pyright: ignore[reportIndexIssue]
    schoenholz = bench.TRAININGS["schoenholz"].training
    assert (schoenholz.depths[0], schoenholz.depths[-1]) == (10, 300)
    np.testing.assert_allclose([schoenholz.scales[0] ** 2, schoenholz.scales[-1] ** 2], [1, 4])
    assert bench.Training.from_dict(schoenholz.to_dict()) == schoenholz
