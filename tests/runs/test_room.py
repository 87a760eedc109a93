"""A process has only so many mappings of memory for what is compiled."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from bench.runs import room


@pytest.fixture
def unknown(monkeypatch):
    """As if they had been counted long ago."""
    monkeypatch.setattr(room, "ROOM", room.Room(float("-inf")))


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize(("taken", "kept"), [(0.4, 1), (0.6, 0)])
def test_programs_are_dropped_where_half_of_the_mappings_are_taken(monkeypatch, taken, kept):
    program = jax.jit(lambda x: jnp.sin(x) + 1)
    monkeypatch.setattr(room, "share_taken", lambda: taken)
    for _ in room.with_room([1]):
        program(1.0)
    assert program._cache_size() == kept


@pytest.mark.usefixtures("unknown")
def test_programs_are_kept_where_others_take_half_of_the_mappings(monkeypatch):
    taken = iter([0.6, 0.55, 0.6, 0.7, 0.8, 0.5])
    dropped = []
    monkeypatch.setattr(room, "share_taken", lambda: next(taken))
    monkeypatch.setattr(room, "SECONDS", -1)
    monkeypatch.setattr(jax, "clear_caches", lambda: dropped.append(True))
    assert [len(dropped) for _ in room.with_room(range(4))] == [0, 1, 1, 1]
    assert dropped == [True, True]


@pytest.mark.usefixtures("unknown")
def test_they_are_not_counted_after_every_one_of_many(monkeypatch):
    counted = []

    def share_taken():
        counted.append(1)
        return 0.0

    monkeypatch.setattr(room, "share_taken", share_taken)
    assert list(room.with_room(range(1000))) == list(range(1000))
    assert 1 <= len(counted) < 100


def test_a_program_takes_mappings_and_gives_them_back():
    if not room.MAPPED.exists():
        pytest.skip("this system does not say")
    before = room.share_taken()
    program = jax.jit(lambda x: jnp.sum(jnp.tanh(x @ x.T) * jnp.cumsum(x, axis=1)))
    program(jnp.ones((50, 50)))
    between = room.share_taken()
    jax.clear_caches()
    assert before < between > room.share_taken()


def test_where_the_system_does_not_say_nothing_is_taken(monkeypatch, tmp_path):
    monkeypatch.setattr(room, "MAPPED", tmp_path / "none")
    assert room.share_taken() == 0
