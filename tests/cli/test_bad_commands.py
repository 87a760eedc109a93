"""Hundreds of command lines that cannot be done: one line that says what is accepted, and nothing written."""

import contextlib
import io

import pytest

from analysis.cli.main import main as plot
from bench.cli.main import COMMANDS
from bench.cli.main import main as measure

LONG = "9" * 5000
COUNT = ["0", "-1", "2.5", "nan", "inf", "-inf", "many", "", "1e3", "0x10", LONG, "3:1:2", "2 3", "1:", ":", "--", "1:2:3"]
WHOLE = [
    "-1",
    "0",
    "2.5",
    "nan",
    "inf",
    "1e9999",
    "deep",
    "",
    " ",
    LONG,
    "9:3:4",
    "2:9:1",
    "2:9",
    "2:9:0",
    "2:9:-3",
    "0:9:3log",
]
REAL = [
    "-1",
    "nan",
    "inf",
    "-inf",
    "one",
    "",
    LONG[:400],
    "1:nan:3",
    "2:1:5",
    "1:2:3:4",
    "-1:1:3log",
    "1:2:3lin",
    "0.5;1",
    "1,,2",
]
NAME = [
    "",
    "gausian2",
    "no.such.module:thing",
    "os:nothing",
    "os:sep",
    "math:",
    ":x",
    "\udcff",
    "ünïcode",
    "a b",
    "-",
    "../x",
]
SPEC = ["", ":", "adan2", "adam:", "adam:b1", "adam:b1=", "adam:=1", "adam:b1=1,b1=1", "adam:nothing=1", "adam;b1=1"]
SENSELESS = [
    *(f"sgd:momentum={value}" for value in ("nan", "inf", "-0.1", "1", "2", "true", "often")),
    *(f"adam:{name}={value}" for name in ("b1", "b2") for value in ("1", "1.5", "-0.1", "nan", "false", "0.1/0.2")),
    *(f"adam:eps={value}" for value in ("-1e-8", "nan", "inf", "small", LONG)),
    *(f"adamw:weight_decay={value}" for value in ("-1", "nan", "inf", "yes")),
    *(f"rmsprop:decay={value}" for value in ("-0.1", "1.1", "nan")),
    *("sgd:nesterov=1", "sgd:nesterov=maybe", "muon:ns_steps=0", "muon:ns_steps=2.5", "adagrad:eps=-1", "lion:b1=1"),
    *("adadelta:rho=2", "rprop:eta_plus=-1", "adafactor:factored=2", "signum:beta=nan", "muon:beta=1", "adan:b3=1"),
]
TASKS = [
    *("", "digit", "mnist", "digits:x=1", "teacher:examples=true", "teacher:examples=0", "teacher:examples=2.5"),
    *(
        "teacher:inputs=-1",
        "teacher:hidden=nan",
        "teacher:examples=1000000,inputs=1000000",
        "noise:seed=-1",
        "noise:outputs=no",
    ),
    *(
        "saxe:values=nan",
        "saxe:values=one/two",
        "saxe:inputs=true",
        "nothing.npz",
        f"{'x' * 300}.npz",
        f"noise:examples={LONG}",
    ),
]
RUN = ["", ".", "..", "../elsewhere", "a/b", "-", ".hidden", "x" * 300, "a b", "ü", "\udcff", "a\nb"]
SHARED = {
    "--depths": ["1", *WHOLE],
    "--widths": WHOLE,
    "--scales": REAL,
    "--bias-stds": REAL,
    "--seeds": COUNT,
    "--key": ["-1", "4294967296", "nan", "half", "", LONG],
    "--initializers": NAME,
    "--activations": NAME,
    "--dtype": ["", "float16", "bfloat16", "int32", "FLOAT32"],
    "--run": RUN,
    "--results": ["", f"{'y' * 300}"],
}
BAD = {
    "sweep": SHARED
    | {"--loss": ["", "hinge", "cross_entropy", "MSE"], "--layers": ["yes"], "--scale": ["1"], "": ["nopreset", "Smoke"]},
    "train": SHARED
    | {
        "--optimizers": [*SPEC, *SENSELESS],
        "--task": TASKS,
        "--learning-rates": REAL,
        "--readout-learning-rates": REAL,
        "--schedule": [
            "",
            "cosine",
            "constant:end=1",
            "warmup_cosine:warmup=2",
            "warmup_cosine:end=nan",
            "warmup_cosine:x=1",
        ],
        "--clip": ["-1", "nan", "inf", "", "hard", "1:2:3"],
        "--steps": COUNT,
        "--batch": COUNT,
        "--loss": ["", "output", "hinge"],
        "--target": ["", "accuracy", "accuracy=0", "accuracy=2", "loss=-1", "loss=nan", "loss=inf", "speed=1", "=1"],
        "--data": ["", "file.txt", "nothing.npz"],
        "": ["atlas", "digit"],
    },
    "compare": {
        "--rank-by": ["", "slop", "rank", "slope,spread", LONG],
        "--isometry-seeds": ["-1", "nan", "1.5", "", "1000000000"],
        "--depths": ["2", *WHOLE],
        "--from": ["", "nowhere", "x" * 300, "."],
        "--initializers": NAME,
        "--columns": ["nothing", ""],
    },
    "precision": {
        "--formats": ["", "float17", "fp16", "FLOAT16", "int8", "float64", "-", "float16,bfloat16"],
        "--loss-scale": ["0", "3", "-2", "0.3", "nan", "inf", "1e300", "many", "", "1:2:3", "1 2"],
        "--loss": ["hinge"],
        "--depths": ["1", "deep"],
        "--run": ["", "a/b"],
        "": ["nopreset"],
    },
    "theory": {
        "--activations": NAME,
        "--scales": REAL,
        "--bias-stds": REAL,
        "--csv": ["", ".", "no/such/folder.csv", "z" * 300, "/dev/null/x.csv"],
        "--seeds": ["1"],
    },
    "probe": {
        "": ["", "mine", "no.such.module:make", "os:nothing", "os:sep", "math:", ":x", "math:floor", "os:getcwd"],
        **{f"--{name}": ["-1", "nan", "inf", "", "many", "1 2"] for name in ("apart", "per-layer", "large", "small")},
        **{f"--{name}": ["-1", "1.5", "nan", "", "half"] for name in ("zeros", "lost")},
        "--seeds": ["2", *COUNT],
        "--key": ["-1", "4294967296", "half", ""],
        "--run": RUN,
        "--overwrite": [None],
    },
    "runs": {
        "": ["nothing", "../up", "", "merge", "remove"],
        "--results": ["nowhere", ""],
        "--verify": ["nothing"],
        "--all": [None],
    },
    "list": {"--all": [None], "": ["everything"]},
    "recommend": {"--depth": ["2", "100000", *WHOLE], "--width": WHOLE},
}
LINES = [
    [command, *([option] if option else []), *([value] if value is not None else [])]
    for command, options in BAD.items()
    for option, values in options.items()
    for value in values
]
OTHERS = [[], ["swep"], ["--nothing"], ["sweep", "--depths"], ["sweep", "smoke", "atlas"], ["--print-completion", "fish"]]
FIGURES = [
    [],
    ["heatmop"],
    ["heatmap"],
    ["heatmap", "nowhere"],
    ["heatmap", "nowhere", "--out"],
    ["phase", "--activation", "nope", "--weight-stds", "1:2:3", "--bias-stds", "0:1:3"],
    *(["phase", "--weight-stds", value] for value in ("nan:1:3", "2:1:3", "one", "1:2", "1:2:1", "")),
    *(["phase", "--out", value] for value in ("figure.txt", "no/such/figure.png")),
    *(
        [figure, "nowhere"]
        for figure in ("profile", "horizon", "lecture", "compare", "trainability", "curves", "cost", "boundary")
    ),
    *(["trainability", "nowhere", option, "-1"] for option in ("--xi-c", "--xi-grad")),
]


def refused(main, argv: list[str]) -> str:
    """What is told of a command line with exit status 2 and nothing on standard output."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(argv)
    assert status == 2
    assert out.getvalue() == ""
    return err.getvalue()


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not list(tmp_path.iterdir())


def assert_one_line(told: str, *words: str) -> None:
    assert told.endswith("\n")
    assert told.count("\n") == 1
    assert len(told) < 1500
    assert "error: " in told
    for word in words:
        assert word in told


def test_there_are_hundreds_of_them_for_every_command():
    assert len(LINES) >= 300
    assert {line[0] for line in LINES} == set(COMMANDS) - {"papers", "report", "lesson"}  # pages: tests/analysis


@pytest.mark.usefixtures("empty_folder")
@pytest.mark.parametrize("command", BAD)
def test_what_cannot_be_measured_is_refused(command):
    needed = {"recommend": {"--activation": "tanh", "--depth": "9"}}.get(command, {})
    model = ["os:getcwd"] if command == "probe" else []
    failed = []
    for line in (line for line in LINES if line[0] == command):
        option = line[1] if line[1].startswith("--") else ""
        others = [word for name, value in needed.items() if name != option for word in (name, value)]
        joined = [f"{option}={line[2]}"] if option and len(line) > 2 else line[1:]  # a value may begin with a dash
        joined = [*model, *joined] if option else joined
        try:
            assert_one_line(refused(measure, [command, *joined, *others]), option)
        except (Exception, SystemExit) as error:
            failed.append((line[1], line[-1][:60] if line[-1] else None, repr(error)[:300]))
    assert not failed


@pytest.mark.usefixtures("empty_folder")
@pytest.mark.parametrize("line", OTHERS, ids=" ".join)
def test_no_command_and_several_are_refused(line):
    assert_one_line(refused(measure, line))


@pytest.mark.usefixtures("empty_folder")
@pytest.mark.parametrize("line", FIGURES, ids=" ".join)
def test_what_cannot_be_drawn_is_refused(line):
    assert_one_line(refused(plot, line))


@pytest.mark.parametrize("text", ["-1:1:5log", "-1:1", "-.5:2x"])
def test_a_range_that_begins_below_zero_is_no_option(text, capsys):
    assert measure(["sweep", "--correlations", text]) == 2
    assert capsys.readouterr().err.startswith(f"bench sweep: error: --correlations: got '{text}', expected ")
