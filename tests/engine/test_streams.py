"""Streams of calls: threads with this one's settings, promises that are kept or dropped, programs that are compiled once."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from threading import Barrier, Event, Timer

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bench.arithmetic.numerics import OF_THREADS, settled
from bench.engine.streams import LARGE, MOST, Promised, counted, first_alone, in_advance, streams, streams_for
from bench.settings.machine import cores


def test_threads_compute_with_the_settings_of_the_one_that_asks():
    def settings() -> list[object]:
        return [getattr(jax.config, name) for name in OF_THREADS]

    with settled("float64"), streams(2) as submit:
        assert submit(settings).result() == settings()
        assert submit(lambda: (jnp.ones(()) * 1.5).dtype).result() == np.float64
    with streams(1) as submit:
        assert submit(settings).result() == settings()


def test_what_a_thread_raises_is_raised_here_and_what_waits_is_dropped():
    def fail() -> None:
        raise ValueError("of a user's own")

    with streams(1) as submit, pytest.raises(ValueError, match="own"):
        submit(fail).result()
    left = Event()
    with streams(1) as submit:
        first, waiting = submit(left.wait, 10), submit(left.wait, 10)
        Timer(0.1, left.set).start()
    assert first.result()
    assert waiting.cancelled()


def test_what_runs_is_told_when_an_error_ends_the_block():
    stopped, begun, shares = Event(), Event(), []
    advanced = counted(shares.append, 0.25, stopped)

    def walk() -> None:
        begun.set()
        while True:
            advanced()

    def interrupted() -> Future:
        with streams(1, stopped) as submit:
            walking.append(submit(walk))
            begun.wait(10)
            raise KeyboardInterrupt

    walking: list[Future] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises(CancelledError):
        walking[0].result(10)
    assert set(shares) <= {0.25}


def test_promises_are_kept_in_any_order_and_a_dropped_one_stops_whoever_asks():
    promised = Promised(3)
    with streams(2) as submit:
        asked = [submit(promised.get, index) for index in (1, 0)]
        promised.set(0, "first")
        promised.set(1, "second")
        assert [each.result(10) for each in asked] == ["second", "first"]
        last = submit(promised.get, 2)
        promised.drop()
        with pytest.raises(CancelledError):
            last.result(10)
    with pytest.raises(CancelledError):
        promised.get(0)


@pytest.mark.parametrize("ahead", [1, 3, 20])
def test_what_is_asked_for_in_advance_comes_once_and_in_order(ahead):
    asked: list[int] = []

    def answer(index: int) -> int:
        asked.append(index)
        return 10 * index

    with streams(1) as submit:
        found = in_advance(lambda index: submit(answer, index), 7, ahead)
        assert next(found) == 0
        assert asked == [0]  # it compiles
        assert next(found) == 10
        while len(asked) < min(7, 1 + ahead):
            submit(lambda: None).result(10)
        assert len(asked) <= 1 + 1 + ahead
        assert list(found) == [20, 30, 40, 50, 60]
    assert asked == list(range(7))


def test_a_program_that_several_threads_call_is_traced_once():
    traces, together = [], Barrier(4)

    @jax.jit
    def program(x: jax.Array) -> jax.Array:
        traces.append(x.shape)
        return x + 1

    call = first_alone()

    def asked() -> float:
        together.wait(10)
        return float(call(program, np.float32(1)))

    with streams(4) as submit:
        assert [each.result() for each in [submit(asked) for _ in range(4)]] == [2.0] * 4
    assert len(traces) == 1


def test_small_walks_go_side_by_side_and_large_ones_do_not():
    assert streams_for(LARGE + 1, 1) == 1
    if jax.default_backend() == "cpu":
        assert 1 <= streams_for(1, 1) <= MOST
        assert streams_for(1, cores()) == 1
