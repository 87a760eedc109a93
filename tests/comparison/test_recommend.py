"""Recommendations: ranks on made-up tables, lines that are executed, and the command as a user meets it."""

from types import SimpleNamespace

import jax
import numpy as np
import pandas as pd
import pytest
from scipy.stats import truncnorm

from bench.cli.main import main
from bench.comparison.ranking import ranks
from bench.comparison.recommend import DEFAULTS, SCHEMES, SEEDS, WORK, case_of, recommend
from bench.comparison.recommend_recipes import FRAMEWORKS, recipe
from bench.comparison.recommend_text import table_text, verdict
from bench.networks.initializers import INITIALIZERS
from bench.networks.schemes import setting_of

WIDTH = 200
WRITTEN = [
    name for name in INITIALIZERS if name not in ("identity", "scaled_identity", "lsuv", "sparse", "delta_orthogonal")
]


@pytest.fixture(scope="module")
def relu() -> pd.DataFrame:
    return recommend(case_of("relu", 40, 32), further=["lsuv"], progress=False)


def test_relu_gets_its_critical_variance_and_pytorch_and_haiku_do_not(relu):
    assert set(relu.initializer) == {*SCHEMES, "lsuv"}
    rank = relu.set_index("initializer")["rank"]
    assert rank["he_normal"] == rank["critical"] == rank["critical_orthogonal"] == 1
    assert rank["torch_linear"] == rank.max()
    assert 1 < rank["flax_default"] < rank["truncated"] < rank["torch_linear"]
    assert relu["rank"].is_monotonic_increasing
    assert relu.set_index("initializer").predicted["he_normal"] == pytest.approx(
        relu.set_index("initializer").slope["he_normal"], abs=0.02
    )


def test_the_words_say_who_wins_who_ties_and_what_a_default_costs(relu):
    case = case_of("relu", 40, 32)
    text = table_text(relu, case)
    assert len(text.splitlines()) == 5 + len(relu)
    said = verdict(relu, case, "he_normal")
    assert "cannot be told apart" in said
    drift = relu.set_index("initializer").slope["torch_linear"] * 38
    assert f"(torch_linear), {drift:+.1f} decades (lost in float16 from depth" in said
    assert max(map(len, text.splitlines())) <= 120


def test_what_was_measured_smaller_is_not_told_of_the_whole_depth(relu):
    case = case_of("relu", 40, 32)._replace(depth=4000, width=1024)
    assert "measured at depth 40 and width 32" in table_text(relu, case)
    said = verdict(relu, case, "he_normal")
    drift = relu.set_index("initializer").slope["torch_linear"] * 38
    assert "of the 40 layers of width 32 that were measured" in said
    assert f"(torch_linear), {drift:+.1f} decades" in said


def test_where_every_network_is_dead_nothing_is_recommended(capsys, monkeypatch):
    monkeypatch.setattr("bench.comparison.recommend.SCHEMES", ("he_normal", "torch_linear"))
    assert main(["recommend", "--activation", "relu", "--depth", "60", "--width", "2", "--quiet"]) == 0
    printed, progress = capsys.readouterr()
    assert "every network is dead" in printed
    assert "import jax" not in printed
    assert not progress


def test_where_no_scheme_is_shown_to_be_better_none_is_called_the_best(relu):
    case = case_of("relu", 40, 32)
    untold = relu.assign(rank=np.nan)
    said = verdict(untold, case, "he_normal")
    assert "no scheme is shown to be better than another" in said
    assert "Not shown to be worse: the default of" in said
    assert "Over the same depth" not in said
    assert table_text(untold, case).count(" –  ") == len(relu)


def test_twelve_networks_that_all_die_are_told_from_twelve_that_live():
    dead = np.zeros((14, SEEDS), bool)
    dead[0] = True
    values = np.where(dead, np.nan, np.random.default_rng(0).standard_normal(dead.shape))
    assert ranks("slope", values, dead).tolist() == [14.0] + [1.0] * 13


def test_a_case_that_would_take_long_is_measured_smaller_and_says_so():
    small, large = case_of("tanh", 50, 64), case_of("tanh", 5000, 4096)
    assert not small.is_smaller
    assert not case_of("gelu", 50, 256).is_smaller
    assert not case_of("gelu", 64, 256).is_smaller
    assert large.is_smaller
    assert large.measured_depth * large.measured_width**3 <= WORK
    assert (large.depth, large.width) == (5000, 4096)


@pytest.mark.parametrize("initializer", WRITTEN)
def test_the_lines_for_jax_draw_what_the_suite_measures(initializer):
    """The same key gives the same matrix."""
    found = recipe(initializer, "gelu", WIDTH)
    setting = setting_of(initializer, "gelu", WIDTH, 0.0)
    drawn: dict = {}
    exec("\n".join(FRAMEWORKS["jax"](found, WIDTH)), drawn)
    ours = setting.gain * INITIALIZERS[initializer].family.init(drawn["weight_key"], (WIDTH, WIDTH), np.float32)
    np.testing.assert_allclose(drawn["W"], ours, rtol=1e-5, atol=1e-6)
    assert np.std(drawn["b"]) == pytest.approx(setting.bias_std, rel=0.15)


class Linear:
    """What the lines for PyTorch need of torch.nn.Linear."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        self.in_features, self.out_features = fan_in, fan_out
        self.weight, self.bias = np.full((fan_out, fan_in), np.nan), np.full(fan_out, np.nan)

    def apply(self, function):
        function(self)
        return self


def fake_torch() -> SimpleNamespace:
    """torch.nn.init's functions with NumPy: signatures and meanings as PyTorch documents them."""
    generator = np.random.default_rng(0)

    def set_to(tensor, values):
        tensor[...] = values

    def orthogonal_(tensor, gain=1):
        set_to(tensor, gain * np.linalg.qr(generator.standard_normal(tensor.shape))[0])

    def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0):
        law = truncnorm((a - mean) / std, (b - mean) / std, loc=mean, scale=std)
        set_to(tensor, law.rvs(tensor.shape, random_state=generator))

    init = SimpleNamespace(
        orthogonal_=orthogonal_,
        trunc_normal_=trunc_normal_,
        normal_=lambda tensor, mean=0.0, std=1.0: set_to(tensor, generator.normal(mean, std, tensor.shape)),
        uniform_=lambda tensor, a=0.0, b=1.0: set_to(tensor, generator.uniform(a, b, tensor.shape)),
        zeros_=lambda tensor: set_to(tensor, 0.0),
    )
    return SimpleNamespace(nn=SimpleNamespace(init=init, Linear=Linear))


@pytest.mark.parametrize("initializer", WRITTEN)
def test_the_lines_for_pytorch_have_the_same_variances(initializer):
    lines = FRAMEWORKS["pytorch"](recipe(initializer, "gelu", WIDTH), WIDTH)
    assert lines[0] == "import torch"
    drawn = {"torch": fake_torch()}
    exec("\n".join(lines[1:]), drawn)
    setting = setting_of(initializer, "gelu", WIDTH, 0.0)
    init = INITIALIZERS[initializer].family.init
    matrix = setting.gain * np.asarray(jax.jit(lambda key: init(key, (WIDTH, WIDTH), np.float32))(jax.random.key(0)))
    assert np.std(drawn["hidden"].weight) == pytest.approx(float(np.std(matrix)), rel=0.01)
    assert np.abs(drawn["hidden"].weight).max() == pytest.approx(float(np.abs(matrix).max()), rel=0.2)
    assert np.std(drawn["hidden"].bias) == pytest.approx(setting.bias_std, rel=0.15)


def test_what_is_no_line_has_no_recipe():
    assert {name for name in INITIALIZERS if recipe(name, "tanh", 16) is None} == set(INITIALIZERS) - set(WRITTEN)
    assert recipe("critical", "softplus", 16) is None  # no critical point
    assert set(DEFAULTS) <= set(WRITTEN)


def test_the_command_prints_a_table_a_verdict_and_one_frameworks_lines(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = ["--activation", "relu", "--depth", "40", "--width", "32", "--framework", "pytorch"]
    assert main(["recommend", *asked]) == 0
    printed = capsys.readouterr().out
    for words in ("40 layers of relu, width 32", "default of", "not which network", "# pytorch", "torch.nn.init"):
        assert words in printed
    assert "# jax" not in printed
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--activation", "glu", "--depth", "9"], ["--activation", "glu", "did you mean"]),
        (["--activation", "relu", "--depth", "1"], ["--depth", "1", "≥ 3"]),
        (["--activation", "relu", "--depth", "deep"], ["--depth", "deep", "whole"]),
        (["--activation", "relu", "--depth", "9", "--width", "0"], ["--width", "0"]),
        (["--activation", "relu", "--depth", "9", "--initializers", "hee_normal"], ["--initializers", "he_normal"]),
        (["--activation", "relu", "--depth", "9", "--framework", "caffe"], ["--framework", "caffe"]),
        (["--activation", "relu"], ["--depth"]),
    ],
)
def test_bad_questions_are_refused_in_one_line(capsys, arguments, words):
    try:
        status = main(["recommend", *arguments])
    except SystemExit as ended:
        status = ended.code
    lines = capsys.readouterr().err.strip().splitlines()
    assert (status, len(lines)) == (2, 1)
    assert all(word in lines[0] for word in words)
