import argparse
import json
import os
import subprocess
import sys
import threading
from importlib import import_module
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from matplotlib.image import imread
from PIL import Image

from analysis.cli.find import load, outlines
from analysis.cli.main import build_parser, main
from analysis.drawing.save import save_figure
from analysis.drawing.style import DOUBLE_COLUMN
from tests.analysis.conftest import (
    lecture_cells,
    make_cells,
    make_curves,
    make_table,
    make_trained,
    write_run,
    write_training,
)


@pytest.fixture
def lecture_dir(tmp_path):
    return write_run(tmp_path / "lecture", lecture_cells())


def fails_with_one_line(argv, capsys):
    """Exit status 2, nothing on stdout and one line on stderr, which is returned."""
    status = main([str(argument) for argument in argv])
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    assert captured.err.endswith("\n")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize(
    ("figure", "ending", "magic"),
    [
        ("heatmap", "svg", b"<?xml"),
        ("profile", "pdf", b"%PDF"),
        ("lecture", "png", b"\x89PNG"),
        ("compare", "svg", b"<?xml"),
        ("phase", "pdf", b"%PDF"),
    ],
)
def test_every_figure_and_every_format(figure, ending, magic, run_dir, lecture_dir, tmp_path, capsys):
    target = tmp_path / f"figure.{ending}"
    make_table().to_csv(run_dir / "table.csv")
    argv = {"lecture": [lecture_dir], "phase": ["--weight-stds", "1", "2:3:5"]}.get(figure, [run_dir])
    assert main([figure, *map(str, argv), "--out", str(target)]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == str(target)
    assert captured.err == ""
    assert target.read_bytes().startswith(magic)
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("figure", ["trainability", "learning-time", "curves", "cost"])
def test_every_figure_of_a_training(figure, tmp_path, capsys):
    small = (2, 8), (0.5, 1.0)
    run = write_training(tmp_path / "run", make_trained(*small), make_curves(*small))
    assert main([figure, str(run)]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == str(run / f"{figure}.png")
    assert captured.err == ""
    assert "describes no sweep" in fails_with_one_line(["heatmap", run], capsys)


def test_a_sweep_is_no_training(run_dir, capsys):
    line = fails_with_one_line(["cost", run_dir], capsys)
    for part in ("RUN_DIR", "describes no training", "depthscale train"):
        assert part in line


def test_curves_of_a_training_without_them_say_how_to_get_them(tmp_path, capsys):
    run = write_training(tmp_path / "run", make_trained())
    assert "train again with curves" in fails_with_one_line(["curves", run], capsys)


def test_by_default_the_figure_lies_in_the_run_at_print_resolution(run_dir, capsys):
    assert main(["heatmap", str(run_dir)]) == 0
    assert capsys.readouterr().out == f"{run_dir / 'heatmap.png'}\n"
    assert imread(run_dir / "heatmap.png").shape[1] >= 200 * 5


def test_options_reach_the_figure(run_dir, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr("analysis.drawing.save.save_figure", lambda figure, path, **_: drawn.append(figure) or path)
    selection = ["--initializers", "gaussian", "--activations", "tanh", "--scales", "0.5", "2"]
    assert main(["heatmap", str(run_dir), "--value", "log10_output", "--stat", "max", "--limit", "7", *selection]) == 0
    panel, bar = drawn[-1].axes
    assert panel.get_title() == "gaussian, tanh"
    assert panel.get_yticks().tolist() == [0.5, 2.0]
    assert "max of 3 seeds" in bar.get_ylabel()
    assert "|y|" in bar.get_ylabel()
    assert bar.get_ylim() == (-7, 7)
    assert main(["profile", str(run_dir), "--depths", "3", *selection]) == 0
    assert [list(line.get_xdata()) for line in drawn[-1].axes[0].lines[:2]] == [[1, 2, 3]] * 2
    assert main(["heatmap", str(run_dir), "--no-theory"]) == 0
    assert drawn[-1].axes[0].lines[:] == []
    make_table().to_csv(run_dir / "table.csv")
    assert main(["compare", str(run_dir), "--initializers", "lsuv", "gaussian"]) == 0
    assert [label.get_text() for label in drawn[-1].axes[0].get_yticklabels()] == ["gaussian", "lsuv"]
    assert main(["phase", "--activation", "relu", "--weight-stds", "1:2:3", "--bias-stds", "0", "0.5:1:2"]) == 0
    assert drawn[-1].axes[0].get_title().startswith("relu")
    assert drawn[-1].axes[0].get_xlim() == (1, 2)
    assert capsys.readouterr().err == ""


def test_lecture_prints_the_deviation_that_is_in_the_data(tmp_path, capsys):
    cells = lecture_cells()
    row = cells.index[(cells["depth"] == 852) & (cells["scale"] == 1.5)][0]
    cells.loc[row, "log10_grad_first"] += 1e-3
    assert main(["lecture", str(write_run(tmp_path / "run", cells)), "--out", str(tmp_path / "x.svg")]) == 0
    output, gradient, path = capsys.readouterr().out.splitlines()
    assert float(output.split("closed form: ")[1].split(" ")[0]) < 1e-9
    assert "closed form: 0.0023 (depth 852, scale 1.5; of 24 cells)" in gradient
    assert path == str(tmp_path / "x.svg")


def test_a_residual_is_a_file_of_its_own(run_dir, capsys):
    assert main(["heatmap", str(run_dir), "--residual"]) == 0
    assert capsys.readouterr() == (f"{run_dir / 'residual.png'}\n", "")
    assert not (run_dir / "heatmap.png").exists()


def test_a_phase_plane_needs_no_run_and_lies_in_the_current_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["phase", "--activation", "relu", "--weight-stds", "1:2:3", "--bias-stds", "0", "1"]) == 0
    assert capsys.readouterr() == ("phase-relu.png\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["phase-relu.png"]


def test_an_unfinished_run_is_drawn_and_said_to_be_unfinished(tmp_path, capsys):
    run = write_run(tmp_path / "run", make_cells(), finished=None)
    assert main(["heatmap", str(run)]) == 0
    captured = capsys.readouterr()
    assert "not finished" in captured.err
    assert captured.out == f"{run / 'heatmap.png'}\n"


ODD = ("nan", "inf", "9" * 5000, "9" * 4000, "1e9999", "1,,2", "1,x")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["heatmp", "RUN"], ["FIGURE", "'heatmp'", "heatmap, horizon, learning-time, lecture", "did you mean heatmap?"]),
        ([], ["FIGURE"]),
        (["heatmap"], ["RUN_DIR"]),
        (
            ["heatmap", "RUN", "--value", "log10_otput"],
            ["--value", "'log10_otput'", "did you mean log10_output?"],
        ),
        (["heatmap", "RUN", "--stat", "medain"], ["--stat", "'medain'", "did you mean median?"]),
        (["heatmap", "RUN", "--out", "TMP/x.gif"], ["--out", "x.gif", ".png, .pdf, .svg"]),
        (["heatmap", "RUN", "--out", "TMP/none/x.png"], ["--out", "none/x.png", "a folder that exists"]),
        (["heatmap", "RUN", "--out", "TMP/folder.png"], ["--out", "folder.png", "not a folder"]),
        (["heatmap", "RUN", "--out="], ["--out", "got ''", "expected a value"]),
        (["heatmap", "RUN", "--out", "/dev/null"], ["--out", "/dev/null", ".png, .pdf, .svg"]),
        (["heatmap", "RUN", "--out", f"TMP/{'x' * 300}.png"], ["--out", "File name too long"]),
        (["heatmap", "TMP/none"], ["RUN_DIR", "none", "not a run", "depthscale sweep"]),
        (["heatmap", "TMP"], ["RUN_DIR", "not a run"]),
        (["heatmap", "RUN", "--scale", "1"], ["'--scale'", "did you mean --scales?"]),
        (["heatmap", "RUN", "--scales", "x"], ["--scales", "'x'", "numbers"]),
        (["profile", "RUN", "--depths", "2.5"], ["--depths", "'2.5'", "whole numbers"]),
        (["heatmap", ""], ["RUN_DIR", "got ''", "expected a value"]),
        (["heatmap", "RUN/manifest.json"], ["RUN_DIR", "is a file", "did you mean 'RUN'?"]),
        (["heatmap", "RUN/cells"], ["RUN_DIR", "did you mean 'RUN'?"]),
        (["heatmap", "RUN/cells/chunk-00000.parquet"], ["RUN_DIR", "did you mean 'RUN'?"]),
        *((["heatmap", "RUN", option, value], [option, "numbers"]) for option in ("--scales", "--depths") for value in ODD),
        *((["heatmap", "RUN", "--limit", value], ["--limit", "a number"]) for value in ODD),
        *((["trainability", "RUN", "--xi-c", value], ["--xi-c", "numbers"]) for value in (*ODD, "1,-1")),
        *((["boundary", "RUN", "--zoom", "0", "1", "0", value], ["--zoom", "a number"]) for value in (*ODD, "1,2")),
        *((["boundary", "RUN", "--seed", value], ["--seed", "a whole number"]) for value in (*ODD, "0.5", "1,2")),
        (["heatmap", "RUN", "--scales", "0.6"], ["--scales", "0.6", "the nearest is 0.5"]),
        (["heatmap", "RUN", "--bias-stds", "1"], ["--bias-stds", "1.0", "one of 0"]),
        (["heatmap", "RUN", "--limit", "-1"], ["--limit", "'-1'", "above 0"]),
        (["profile", "RUN", "--activations", "tahn"], ["--activations", "'tahn'", "did you mean tanh?"]),
        (["lecture", "RUN"], ["RUN_DIR", "gaussian, tanh", "identity"]),
        (["heatmap", "RUN", "--residual", "--value", "log10_output"], ["--value", "'log10_output'", "log10_grad_first"]),
        (["heatmap", "RUN", "--residual", "--stat", "max"], ["--stat", "'max'", "none with --residual"]),
        (["heatmap", "RUN", "--residual", "--limit", "3"], ["--limit", "3.0", "none with --residual"]),
        (["heatmap", "RUN", "--residual", "--no-theory"], ["--no-theory", "--residual"]),
        (["compare", "RUN"], ["RUN_DIR", "no table.csv", "depthscale compare"]),
        (["phase", "--activation", "tahn", "--out", "TMP/x.png"], ["--activation", "'tahn'", "did you mean tanh?"]),
        (["phase", "--weight-stds", "0:x:3"], ["--weight-stds", "'0:x:3'", "first:last:count"]),
        (["phase", "--weight-stds", "2:1:3"], ["--weight-stds", "'2:1:3'", "first below last"]),
        (["phase", "--bias-stds", "0:1:9999"], ["--bias-stds", "'0:1:9999'", "2 to 1000"]),
        (["phase", "--bias-stds", "0:1"], ["--bias-stds", "'0:1'", "first:last:count"]),
        (["phase", "--bias-stds", "1", "--out", "TMP/x.png"], ["--bias-stds", "two or more"]),
        (["phase", "RUN"], ["unknown argument", "--help"]),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments, parts, run_dir, tmp_path, capsys):
    (tmp_path / "folder.png").mkdir()
    argv = [argument.replace("RUN", str(run_dir)).replace("TMP", str(tmp_path)) for argument in arguments]
    line = fails_with_one_line(argv, capsys)
    assert len(line) < 1000
    for part in parts:
        assert part.replace("RUN'", f"{run_dir}'") in line
    assert [path.name for path in tmp_path.rglob("*.png")] == ["folder.png"]


@pytest.mark.parametrize(
    ("option", "written", "values"),
    [
        ("--depths", ["2,4", "8"], [2, 4, 8]),
        ("--depths", ["2:4:3"], [2, 3, 4]),
        ("--scales", ["0.5,1:2:3"], [0.5, 1, 1.5, 2]),
        ("--optimizers", ["adam:b1=0.5,b2=0.9"], ["adam:b1=0.5,b2=0.9"]),
        ("--xi-c", ["6,12", "3"], [6, 12, 3]),
        ("--xi-c", [], []),
    ],
)
def test_numbers_are_written_as_where_they_are_measured(option, written, values):
    parsed = build_parser(["trainability"]).parse_args(["trainability", "run", option, *written])
    assert getattr(parsed, option[2:].replace("-", "_")) == values


def test_profile_of_a_run_without_layers_says_how_to_get_them(lecture_dir, capsys):
    assert "with its layers" in fails_with_one_line(["profile", lecture_dir], capsys)


@pytest.mark.parametrize("arguments", [["lecture"], ["heatmap", "--residual"]])
def test_what_another_loss_has_no_theory_of_is_refused(arguments, tmp_path, capsys):
    run = write_run(tmp_path / "run", lecture_cells(), sweep={"loss": "mse"})
    assert "loss mse" in fails_with_one_line([*arguments, run], capsys)


def options_of(figure):
    parser = argparse.ArgumentParser(prog="", add_help=False)
    figure.add_options(parser)
    return parser.format_help()


def test_a_figure_declares_itself_in_its_own_file():
    """Sources are read without importing them; they must say what the imported figure says."""
    found = outlines()
    assert {"heatmap", "profile", "lecture", "phase", "compare", "trainability", "learning-time"} < set(found)
    for name, outline in found.items():
        read, imported = load(name), import_module(f"analysis.figures.{name.replace('-', '_')}").FIGURE
        assert (read.summary, read.example) == outline
        assert (*outline, read.reads, read.table) == (imported.summary, imported.example, imported.reads, imported.table)
        assert options_of(read) == options_of(imported)
        assert (read.file is None) == (imported.file is None)
        assert f"depthscale plot {name}" in outline.example


SLOW = {"pandas", "matplotlib", "scipy", "pyarrow", "jax", "tqdm"}


def test_help_and_bad_options_wait_for_none_of_the_libraries_that_draw():
    """They take seconds on a busy machine."""
    lines = [words for name in outlines() for words in ([name, "--help"], [name, "--out"], [name, "nowhere"])]
    code = f"""
import sys
from analysis.cli.main import main
for words in {lines}:
    status = main(words)
    print("told:", *words, status, sorted({SLOW} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    told = [line for line in done.stdout.splitlines() if line.startswith("told: ")]
    assert told == [f"told: {' '.join(words)} {0 if words[1] == '--help' else 2} []" for words in lines]
    assert len(done.stderr.splitlines()) == 2 * len(outlines())


def test_the_list_needs_not_even_numpy():
    code = (
        "import sys; from analysis.cli.main import build_parser; print(build_parser([]).format_help()); "
        "sys.exit(str({'numpy', 'pandas', 'matplotlib', 'scipy', 'pyarrow', 'jax'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "set()\n"
    assert "steps to the target" in done.stdout


@pytest.mark.parametrize("figure", [None, *outlines()])
def test_help_teaches_with_an_example(figure, capsys):
    assert main([*([figure] if figure else []), "--help"]) == 0
    assert "example: depthscale plot" in capsys.readouterr().out


def test_a_failed_write_leaves_the_old_file_and_nothing_else(run_dir, tmp_path, capsys, monkeypatch):
    target = tmp_path / "out" / "figure.png"
    target.parent.mkdir()
    target.write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    line = fails_with_one_line(["heatmap", run_dir, "--activations", "tanh", "--out", target], capsys)
    assert "--out" in line
    assert "No space left" in line
    assert [path.name for path in target.parent.iterdir()] == ["figure.png"]
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_a_figure_is_the_same_bytes_and_says_which_run_it_is_of_and_what_drew_it(ending, run_dir, tmp_path, monkeypatch):
    manifest = json.loads((run_dir / "manifest.json").read_text())
    (run_dir / "manifest.json").write_text(json.dumps({**manifest, "git": {"commit": "c0ffee", "dirty": True}}))
    file, written = tmp_path / f"one.{ending}", []
    for epoch in ("1", "1000000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)  # what dates would come from
        argv = ["heatmap", str(run_dir), "--activations", "tanh", "--out", str(file)]
        assert main(argv) == 0
        written.append(file.read_bytes())
    assert written[0] == written[1]
    texts = {
        "png": lambda: Image.open(file).text["Description"],
        "pdf": lambda: written[0].decode("latin-1").replace("\\", ""),
        "svg": lambda: " ".join(ElementTree.fromstring(written[0]).itertext()),
    }
    text = texts[ending]()
    assert f"run {run_dir.name} of commit c0ffee with changes; drawn by python -m analysis heatmap {run_dir}" in text
    assert ending != "svg" or "gaussian, tanh" in text  # text stays text


def test_a_figure_goes_into_a_pipe_that_stays_one(run_dir, tmp_path):
    pipe = tmp_path / "x.png"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert main(["heatmap", str(run_dir), "--activations", "tanh", "--out", str(pipe)]) == 0
    reader.join(timeout=10)
    assert read[0].startswith(b"\x89PNG")
    assert pipe.is_fifo()


def test_no_settings_of_matplotlibs_change_a_figure(run_dir, tmp_path):
    """Those that hold where figures are drawn: of a file, of a style, or of the program around us."""
    written = []
    for settings in ({}, {"text.usetex": True, "axes.facecolor": "red", "font.size": 20, "axes.grid": True}):
        with mpl.rc_context(settings):
            assert main(["heatmap", str(run_dir), "--activations", "tanh", "--out", str(tmp_path / "x.png")]) == 0
        written.append((tmp_path / "x.png").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    "content", [b"text.usetex: True\nbackend: nonsense\nno.such: 1\n", b"\xff\xfe\x00"], ids=["usetex", "bytes"]
)
def test_nor_does_a_matplotlibrc_or_a_backend_that_does_not_exist(content, run_dir, tmp_path):
    (tmp_path / "matplotlibrc").write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "heatmap", run_dir, "--activations", "tanh", "--out", "x.svg"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "nonsense", "PYTHONPATH": os.getcwd()},
    )
    if b"usetex" in content:
        assert (done.returncode, done.stdout, done.stderr) == (0, "x.svg\n", "")
    else:
        assert (done.returncode, done.stdout) == (2, "")
        assert "MATPLOTLIBRC" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("redirection", "status"),
    [("> /dev/full", 1), (">&- 2> /dev/full", 0), pytest.param("2>&-", 0, marks=pytest.mark.thorough)],
)
def test_streams_that_are_closed_or_full_cost_no_figure(redirection, status, run_dir, tmp_path):
    command = f"exec {sys.executable} -m analysis heatmap {run_dir} --activations tanh --out {tmp_path}/x.svg {redirection}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert (tmp_path / "x.svg").read_bytes().startswith(b"<?xml")


def test_saving_changes_no_global_settings(tmp_path):
    before = dict(mpl.rcParams)
    figure = mpl.figure.Figure(figsize=(DOUBLE_COLUMN, 1))
    save_figure(figure, tmp_path / "empty.pdf")
    assert dict(mpl.rcParams) == before


def test_the_module_runs_without_the_engine(run_dir):
    """As a user runs it; neither jax nor the engine is imported, nor pyplot, which would choose a window system."""
    code = (
        "import sys; from analysis.cli.main import main; status = main(sys.argv[1:]);"
        "unwanted = {'jax', 'bench.sweeps.sweep', 'bench.engine.gradients', 'matplotlib.pyplot'}; "
        "print(sorted(unwanted & set(sys.modules))); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code, "heatmap", run_dir], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-2:] == [str(run_dir / "heatmap.png"), "[]"]
    assert done.returncode == 0
