"""Which values make sense for arguments of optimizers and tasks, by name: optax trains with many that do not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from bench.settings.checks import LARGEST_COUNT


class Rule(NamedTuple):
    """What is accepted, in words and as a test of any value."""

    words: str
    holds: Callable[[Any], bool]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= LARGEST_COUNT


FRACTION = Rule("a number ≥ 0 and below 1", lambda value: _number(value) and 0 <= value < 1)
SHARE = Rule("a number from 0 to 1", lambda value: _number(value) and 0 <= value <= 1)
SIZE = Rule("a finite number ≥ 0", lambda value: _number(value) and value >= 0)
POSITIVE = Rule("a finite number above 0", lambda value: _number(value) and value > 0)
SWITCH = Rule("true or false", lambda value: isinstance(value, bool))
TYPE = Rule("float32, bfloat16 or float16", lambda value: value in ("float32", "bfloat16", "float16"))
COUNT = Rule(f"a whole number ≥ 1 and ≤ {LARGEST_COUNT}", _whole(1))
COUNT_OR_NONE = Rule(f"a whole number ≥ 0 and ≤ {LARGEST_COUNT}", _whole(0))
NUMBERS = Rule("finite numbers: 4/2/1", lambda value: all(map(_number, value if isinstance(value, tuple) else (value,))))

OF_OPTIMIZERS: dict[str, Rule] = {
    **dict.fromkeys(("momentum", "b1", "b2", "b3", "beta", "adam_b1", "adam_b2", "eta_minus"), FRACTION),
    **dict.fromkeys(("decay", "rho", "decay_rate"), SHARE),
    **dict.fromkeys(("eps", "eps_root", "adam_eps_root", "weight_decay", "adam_weight_decay", "weight_decay_rate"), SIZE),
    **dict.fromkeys(("initial_accumulator_value", "initial_scale", "min_step_size", "min_norm", "threshold"), SIZE),
    **dict.fromkeys(("adam_learning_rate", "consistent_rms"), SIZE),
    **dict.fromkeys(("trust_coefficient", "clipping_threshold", "max_step_size", "eta_plus"), POSITIVE),
    **dict.fromkeys(("nesterov", "centered", "bias_correction", "bias_correction_mu", "bias_correction_nu"), SWITCH),
    **dict.fromkeys(("eps_in_sqrt", "factored", "multiply_by_parameter_scale", "adaptive"), SWITCH),
    **dict.fromkeys(("mask", "weight_decay_mask", "trust_ratio_mask"), SWITCH),
    **dict.fromkeys(("accumulator_dtype", "mu_dtype", "dtype_momentum"), TYPE),
    **dict.fromkeys(("ns_steps", "min_dim_size_to_factor"), COUNT),
    "decay_offset": COUNT_OR_NONE,
    "ns_coeffs": NUMBERS,
}
OF_TASKS: dict[str, Rule] = {
    **dict.fromkeys(("inputs", "outputs", "examples"), COUNT),
    **dict.fromkeys(("hidden", "seed"), COUNT_OR_NONE),
    **dict.fromkeys(("input_std", "target_std"), SIZE),
    "aligned": SWITCH,
    "values": NUMBERS,
}


def broken(rules: dict[str, Rule], arguments: Iterable[tuple[str, Any]]) -> str:
    """What the first argument that breaks its rule should be; nothing where all keep theirs, or have none."""
    for name, value in arguments:
        if name in rules and not rules[name].holds(value):
            return f"for {name} {rules[name].words}"
    return ""
