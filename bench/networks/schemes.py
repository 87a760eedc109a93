"""Schemes by name: what each settles for one activation, width and bias, and which share a draw."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from bench.networks.initializers import INITIALIZERS, Family, Setting


@cache
def setting_of(initializer: str, activation: str, width: int, bias_std: float) -> Setting:
    """What the scheme of that name uses where the sweep asks for ``bias_std``."""
    scheme = INITIALIZERS[initializer]
    if scheme.setting is None:
        return Setting(scheme.gain, bias_std)
    return scheme.setting(activation, width, bias_std)


def lane_setting(initializer: str, activation: str, width: int, scale: float, bias_std: float) -> tuple[float, float]:
    """(engine's scale, standard deviation of the biases) of a sweep's cell, all by name.

    The engine's scale is ``scale × gain``, a factor on the family's draw; NaN where the scheme is undefined.
    """
    setting = setting_of(initializer, activation, width, bias_std)
    return scale * setting.gain, setting.bias_std


def families(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Names of initializers, those that share a draw together."""
    found: dict[Family, list[str]] = {}
    for name in names:
        found.setdefault(INITIALIZERS[name].family, []).append(name)
    return [tuple(members) for members in found.values()]
