"""Optimizers by their optax name with arguments (``adamw:weight_decay=0.01``), and what schedules multiply rates by.

The learning rate is data: an optimizer is built inside the compiled step, from the traced number, so that one program
serves all learning rates and schedules. That is optax's own arithmetic, not a copy of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from optax import contrib

from bench.settings.errors import SweepError
from bench.settings.registry import describe
from bench.settings.specs import Spec, meant, parse_spec
from bench.training.rules import OF_OPTIMIZERS, broken
from bench.training.specs import OPTIMIZERS as NAMES

OPTIMIZERS: Mapping[str, Callable[..., optax.GradientTransformation]] = {
    name: partial(getattr(optax, entry.optax, None) or getattr(contrib, entry.optax), **entry.settings)
    for name, entry in NAMES.items()
}


class Rates(NamedTuple):
    """Learning rates of one network."""

    learning_rate: Array  # of W_1 … W_{L-1} and their biases
    readout: Array  # of W_L


class Optimizer(NamedTuple):
    """An optimizer by its spec; hashable, so that it names a compiled program.

    A network is updated in parts, each at a learning rate of its own. Its hidden layers are stacked: optimizers that look at
    whole matrices meet each of them by itself, by a vmap over layers; for the others, which are elementwise, the stack is as
    good.
    """

    spec: Spec

    def transformation(self, learning_rate: Array | float) -> optax.GradientTransformation:
        """optax's, for separate matrices."""
        return OPTIMIZERS[self.spec.name](learning_rate=learning_rate, **dict(self.spec.arguments))

    def init(self, rates: Rates, parameters: Any) -> tuple[Any, ...]:
        """The first state, for parameters with stacked leaves ``hidden…`` and a leaf ``readout``."""
        with _promoting():
            return tuple(
                over_layers(transformation.init)(part)
                for (transformation, over_layers), part in zip(self._updaters(rates), self._parts(parameters), strict=True)
            )

    def update(self, rates: Rates, gradients: Any, state: tuple[Any, ...], parameters: Any) -> tuple[Any, tuple[Any, ...]]:
        """(updates, next state); the updates are to be added to the parameters."""
        parts = zip(self._parts(gradients), state, self._parts(parameters), strict=True)
        with _promoting():
            updated = [
                over_layers(transformation.update)(*part)
                for (transformation, over_layers), part in zip(self._updaters(rates), parts, strict=True)
            ]
        updates = {name: leaf for part, _ in updated for name, leaf in part.items()}
        return parameters._replace(**updates), tuple(next_state for _, next_state in updated)

    def _updaters(self, rates: Rates) -> list[tuple[optax.GradientTransformation, Callable[..., Any]]]:
        """What updates each of :meth:`_parts`, and how it is mapped over stacked layers."""
        body, readout = map(self.transformation, rates)
        stacked = [(body, jax.vmap)] if NAMES[self.spec.name].whole_matrices else []
        return [(body, lambda function: function), *stacked, (readout, lambda function: function)]

    def _parts(self, parameters: Any) -> list[dict[str, Any]]:
        """Layers that are updated together: the readout alone; the stacked layers too, where matrices matter."""
        fields = parameters._asdict()
        readout = {"readout": fields.pop("readout")}
        if not NAMES[self.spec.name].whole_matrices:
            return [fields, readout]
        hidden = {name: fields.pop(name) for name in list(fields) if name.startswith("hidden")}
        return [fields, hidden, readout]


@contextmanager
def _promoting() -> Iterator[None]:
    """Optax mixes types and ranks, which whoever runs JAX strictly would be refused."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def parse_optimizer(text: object) -> Optimizer:
    """The optimizer that is written so. Raises SweepError (field ``optimizers``)."""
    spec = parse_spec("optimizers", text, OPTIMIZERS)
    known = inspect.signature(OPTIMIZERS[spec.name]).parameters
    accepted = [name for name in known if name != "learning_rate"]
    for name, _ in spec.arguments:
        if name not in accepted:
            raise SweepError("optimizers", text, f"arguments of {spec.name}: {', '.join(accepted)}")
    if wanted := broken(OF_OPTIMIZERS, spec.arguments):
        raise SweepError("optimizers", text, wanted)
    try:
        if spec.arguments:
            _try(spec)
    except Exception as error:  # optax checks its arguments in many ways
        raise SweepError("optimizers", text, f"arguments that optax.{spec.name} takes ({describe(error)})") from error
    return Optimizer(spec)


def each_once(given: Iterable[object]) -> tuple[str, ...]:
    """How they are written in rows, of several spellings of one optimizer the first. Raises SweepError."""
    found: dict[Spec, str] = {}
    for spec in (parse_optimizer(text).spec for text in given):
        found.setdefault(meant(spec, OPTIMIZERS[spec.name]), str(spec))
    return tuple(found.values())


@cache
def _try(spec: Spec) -> None:
    """One step on nothing much, traced and not run."""
    transformation = OPTIMIZERS[spec.name](learning_rate=0.1, **dict(spec.arguments))
    parameters = {"w": jax.ShapeDtypeStruct((2, 2), jnp.float32), "b": jax.ShapeDtypeStruct((2,), jnp.float32)}

    def step(parameters: Any) -> Any:
        return transformation.update(parameters, transformation.init(parameters), parameters)

    with _promoting():
        jax.eval_shape(step, parameters)


def schedule_factors(spec: Spec, steps: int) -> np.ndarray:
    """[steps]: what the learning rate is multiplied by at each step; never 0 at the first, which would teach nothing."""
    if spec.name == "constant":
        return np.ones(steps)
    arguments = {"warmup": 0.1, "end": 0.0} | dict(spec.arguments)
    warmup = round(arguments["warmup"] * steps)
    t = np.arange(steps)
    rising = (t + 1) / (warmup + 1)
    falling = np.clip((t - warmup) / max(1, steps - warmup), 0, 1)
    cosine = arguments["end"] + (1 - arguments["end"]) * (1 + np.cos(np.pi * falling)) / 2
    return np.where(t < warmup, rising, cosine)
