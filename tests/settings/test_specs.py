"""Two spellings of one thing are that thing once, and each of them alone is called as it always was."""

from typing import Any

import pytest

import bench

SWEEP: Any = bench.Sweep
TRAINING: Any = bench.Training


@pytest.mark.parametrize(
    ("what", "field", "given", "kept"),
    [
        (SWEEP, "initializers", ["gaussian", "gaussian:mean=0", "gaussian:mean=0.0", "gaussian:mean=1"], [0, 3]),
        (SWEEP, "initializers", ["gaussian:mean=0", "gaussian"], [0]),
        (SWEEP, "activations", ["dks:of=tanh,depth=100", "tanh", "dks:depth=100,of=tanh", "dks", "dks:depth=9"], [0, 1, 4]),
        (SWEEP, "architectures", ["residual", "residual:alpha=1", "residual:alpha=1.0", "residual:alpha=1/L"], [0, 3]),
        (SWEEP, "architectures", ["residual2:init=plain", "residual2", "residual2:init=fixup", "residual"], [0, 2, 3]),
        (SWEEP, "architectures", ["batchnorm:skip=True", "batchnorm:skip=false", "batchnorm"], [0, 1]),
        (TRAINING, "optimizers", ["adam", "adam:b1=0.9", "momentum:momentum=0.9", "momentum", "adam:b1=0.8"], [0, 2, 4]),
    ],
)
def test_what_is_the_same_by_its_defaults_is_measured_once_as_it_is_written_first(what, field, given, kept):
    fields = {"batch": 2} if field == "architectures" else {}
    alone = [getattr(what(**{field: [name]}, **fields), field)[0] for name in given]
    assert getattr(what(**{field: given}, **fields), field) == tuple(alone[place] for place in kept)


def test_a_run_that_was_begun_with_a_default_written_out_is_that_run_still():
    assert SWEEP(initializers="gaussian:mean=0").initializers == ("gaussian:mean=0",)
    assert SWEEP(architectures="residual:alpha=1").architectures == ("residual:alpha=1",)
    assert TRAINING(optimizers="adam:b1=0.9").optimizers == ("adam:b1=0.9",)
