"""What sweeps and trainings have in common as data: frozen fields that check themselves, as JSON and back."""

from __future__ import annotations

from dataclasses import asdict, fields
from itertools import product
from typing import Any, Self, cast

from bench.settings.checks import DTYPES, LARGEST_COUNT, PRECISIONS, integer, integers, names, reals, sequence
from bench.settings.errors import SweepError

LARGEST_KEY = 2**32 - 1


class Settings:
    """A frozen dataclass of settings, of a sweep or a training: as JSON and back, and what both check alike."""

    def _settle(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)

    def _settle_networks(self) -> None:
        """Check and settle the fields that say which networks there are. Raises SweepError."""
        from bench.networks.activations import ACTIVATIONS  # they need JAX, which help and ``list`` do without
        from bench.networks.initializers import INITIALIZERS

        given: Any = self
        self._settle("initializers", names("initializers", given.initializers, INITIALIZERS))
        self._settle("activations", names("activations", given.activations, ACTIVATIONS))
        self._settle("depths", integers("depths", given.depths, at_least=2, at_most=LARGEST_COUNT))
        self._settle("widths", integers("widths", given.widths, at_least=1, at_most=LARGEST_COUNT))
        self._settle("scales", reals("scales", given.scales))
        self._settle("bias_stds", reals("bias_stds", given.bias_stds))
        self._settle("seeds", integer("seeds", given.seeds, at_least=1, at_most=LARGEST_COUNT))
        self._settle("key", integer("key", given.key, at_least=0, at_most=LARGEST_KEY))
        if given.dtype not in DTYPES:
            raise SweepError("dtype", given.dtype, " or ".join(DTYPES))
        if given.precision not in PRECISIONS or (given.precision != "full" and given.dtype != "float32"):
            among = f"{', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}"
            raise SweepError("precision", given.precision, among if given.dtype == "float32" else f"full with {given.dtype}")

    def _settle_architectures(self) -> None:
        """Check and settle what a block is, and what it sees. Raises SweepError."""
        from bench.networks.architectures.registry import each_once  # as in _settle_networks
        from bench.networks.block_trial import check_sizes

        given: Any = self
        found = each_once(sequence("architectures", given.architectures, "architectures"))
        self._settle("architectures", found)
        for field in ("batch", "length"):
            self._settle(field, integer(field, getattr(given, field), at_least=1, at_most=LARGEST_COUNT))
        for name, width in product(found, given.widths):
            check_sizes(name, int(width), given.batch, given.length)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON types."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(cast(Any, self)).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; nothing is imported for a name, since a dict may be somebody else's.

        Raises SweepError for a field that does not exist, and for ``package.module:attribute`` that nobody has named or
        given in this process.
        """
        from bench.networks.activations import ACTIVATIONS  # as in _settle_networks
        from bench.networks.architectures import registry as architectures
        from bench.networks.initializers import INITIALIZERS

        registries: dict[str, Any] = {
            "initializers": INITIALIZERS,
            "activations": ACTIVATIONS,
            "architectures": architectures,
        }
        known = {field.name for field in fields(cast(Any, cls))}
        for name, value in values.items():
            if name not in known:
                raise SweepError(name, value, f"one of the fields {', '.join(sorted(known))}")
        for field, registry in registries.items():
            given = values.get(field, ())
            for name in given if isinstance(given, (list, tuple)) else (given,):
                if isinstance(name, str) and ":" in name and not registry.known(name):
                    raise SweepError(field, name, "names of the suite's own, or of what was named or given in this process")
        return cls(**values)
