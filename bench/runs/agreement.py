"""What the bits of rows depend on beside a run's settings: versions and the kind of device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.settings.errors import shown

PACKAGES = ("depthscale", "jax", "jaxlib", "numpy", "optax", "scikit-learn")  # pyarrow writes rows, and changes none
DEVICE = ("platform", "kind")


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What differs, and what it is of the one and of the other, of two sessions (:func:`bench.runs.provenance.session`)."""
    for part, names, words in (("versions", PACKAGES, "{}"), ("device", DEVICE, "the device's {}")):
        ours, theirs = (_part(session, part) for session in (one, other))
        for name in names:
            if ours.get(name) != theirs.get(name):
                yield words.format(name), _shown(ours.get(name)), _shown(theirs.get(name))


def sessions(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Everybody who has measured for a run, as its manifest says."""
    resumed = manifest.get("resumed")
    return [manifest, *(each for each in (resumed if isinstance(resumed, list) else ()) if isinstance(each, dict))]


def _part(session: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = session.get(name)
    return part if isinstance(part, dict) else {}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() else "unknown" if value is None else shown(value)
