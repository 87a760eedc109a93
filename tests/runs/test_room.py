"""A process has only so many mappings of memory for what is compiled."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from bench.runs import room


@pytest.fixture
def looked(monkeypatch):
    """As if it had been looked at long ago."""
    monkeypatch.setattr(room, "LOOKED", [float("-inf")])


@pytest.mark.usefixtures("looked")
@pytest.mark.parametrize(("taken", "kept"), [(0.4, 1), (0.6, 0)])
def test_programs_are_dropped_where_half_of_the_mappings_are_taken(monkeypatch, taken, kept):
    program = jax.jit(lambda x: jnp.sin(x) + 1)
    monkeypatch.setattr(room, "share_taken", lambda: taken)
    for _ in room.with_room([1]):
        program(1.0)
    assert program._cache_size() == kept


@pytest.mark.usefixtures("looked")
def test_it_is_not_looked_at_after_every_one_of_many(monkeypatch):
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
