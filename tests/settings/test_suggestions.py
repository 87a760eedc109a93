"""What was probably meant."""

import pytest

import bench
from bench.networks.architectures.registry import ARCHITECTURES, architecture_of
from bench.settings.errors import LONGEST, SweepError
from bench.settings.presets import Preset
from bench.settings.ranges import parse
from bench.settings.suggestions import ALIASES, nearest
from bench.training.specs import SCHEDULES
from bench.training.tasks import TASKS


def test_every_alias_is_of_something_that_there_is():
    known = {*bench.INITIALIZERS, *bench.ACTIVATIONS, *TASKS, *SCHEDULES, *ARCHITECTURES}
    for alias, name in ALIASES.items():
        assert name in known or architecture_of(name)
        assert nearest(alias, known) == f"; did you mean {name}?"


@pytest.mark.parametrize(("written", "meant"), [("Xavier", "glorot_normal"), ("HE", "he_normal"), ("LSUV", "lsuv")])
def test_names_of_other_libraries_are_known_however_they_are_written(written, meant):
    assert nearest(written, bench.INITIALIZERS) == f"; did you mean {meant}?"


def test_names_that_commas_separate_are_meant_with_spaces():
    assert nearest("residual,rnn", ARCHITECTURES) == "; did you mean residual rnn?"
    assert nearest("gaussian,he_normal", bench.INITIALIZERS) == "; did you mean gaussian he_normal?"


def test_what_is_not_close_is_not_meant():
    assert nearest("nope", bench.ACTIVATIONS) == ""


def test_numbers_may_be_separated_by_commas_or_stand_in_presets():
    assert parse("depths", "2,4,8:10:3", whole=True) == [2, 4, 8, 9, 10]
    with pytest.raises(SweepError, match="expected whole numbers, or ranges"):
        parse("depths", "2,,4", whole=True)
    with pytest.raises(SweepError, match=r"expected a whole number$"):
        parse("seeds", "1.5", whole=True)
    assert Preset(dict, "a line", scales="0.5:1:2", task="a:b").settings == {"scales": (0.5, 1.0), "task": "a:b"}


@pytest.mark.parametrize("value", ["9" * 5000, 10**5000], ids=["text", "number"])
def test_values_of_thousands_of_digits_are_shown_short(value):
    assert len(str(SweepError("seeds", value, "less"))) < 2 * LONGEST
