"""What recommend does not know, it says who knows."""

import shlex

import pytest

import bench
from bench.cli.main import main

DEPTH = ["--activation", "gelu", "--depth", "5", "--width", "8"]


def test_other_architectures_are_refused_with_the_command_that_ranks_schemes_for_them(tmp_path, capsys):
    assert main(["recommend", *DEPTH, "--architectures", "plain", "residual:alpha=1/sqrt(L)", "highway"]) == 2
    told, _, command = capsys.readouterr().err.rstrip().partition("; for others: ")
    assert told.startswith("bench recommend: error: --architectures: got 'residual:alpha=1/sqrt(L)', expected plain")
    python, _, module, *words = shlex.split(command)
    assert (python, module) == ("python", "bench")
    assert main([*words, "--dry-run", "--results", str(tmp_path), "--no-compilation-cache"]) == 0


def test_theory_s_table_names_the_laws_of_other_architectures(capsys):
    assert main(["theory", "--architectures", "residual", "rnn"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("bench theory: error: --architectures: got 'residual', expected plain")
    assert told.endswith("for others: bench.theory.block_trajectory('residual', …) in Python\n")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: bench.Precision(architectures=("residual",)),
            "got 'residual', expected plain; of any other network, probe",
        ),
        (
            lambda: bench.Sweep(architectures=("residual",), correlations=(0.5,)),
            "expected none .* with a batch of 2 their rows",
        ),
    ],
)
def test_what_knows_plain_networks_alone_says_what_answers_for_others(make, words):
    with pytest.raises(bench.SweepError, match=words):
        make()
