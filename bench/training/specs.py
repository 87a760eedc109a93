"""What trainings have names for, without optax and JAX: optimizers and schedules of the learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from bench.settings.errors import SweepError
from bench.settings.specs import Spec, parse_spec


class Named(NamedTuple):
    """An optimizer of optax or optax.contrib, called with ``settings``.

    ``whole_matrices``: what it does depends on whole matrices, and not on each entry alone.
    """

    optax: str
    settings: Mapping[str, Any] = {}
    whole_matrices: bool = False


ELEMENTWISE = (
    *("adam", "adamw", "nadam", "nadamw", "radam", "amsgrad", "adamax", "adamaxw", "adabelief", "adagrad"),
    *("adadelta", "adan", "rmsprop", "yogi", "lion", "signum", "sign_sgd", "rprop"),
)
OF_MATRICES = ("lamb", "lars", "fromage", "novograd", "sm3", "adafactor", "muon")
OPTIMIZERS: Mapping[str, Named] = {
    "sgd": Named("sgd"),
    "momentum": Named("sgd", {"momentum": 0.9}),
    "nesterov": Named("sgd", {"momentum": 0.9, "nesterov": True}),
    **{name: Named(name) for name in ELEMENTWISE},
    **{name: Named(name, whole_matrices=True) for name in OF_MATRICES},
}
SCHEDULES = {
    "constant": "the learning rate itself",
    "warmup_cosine": "linearly up during the first warmup=0.1 of the steps, then along a cosine to end=0 of it",
}


def parse_schedule(text: object) -> Spec:
    """The schedule that is written so. Raises SweepError (field ``schedule``)."""
    spec = parse_spec("schedule", text, SCHEDULES)
    accepted = {"warmup", "end"} if spec.name == "warmup_cosine" else set()
    for name, value in spec.arguments:
        if name not in accepted or isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise SweepError("schedule", text, f"{spec.name}: {SCHEDULES[spec.name]}; each from 0 to 1")
    return spec
