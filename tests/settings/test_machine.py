"""Cores are counted on any system."""

import os

from bench.settings.machine import cores


def test_cores_are_counted_without_affinity_too(monkeypatch):
    if hasattr(os, "sched_getaffinity"):
        assert cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores() >= 1
