"""Several streams of calls at a time.

On CPUs JAX computes what one thread has dispatched in the order of its dispatch, also where the calls do not wait for each
other and leave cores idle. Threads that dispatch walks of their own keep these busy; what is computed stays the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event, Lock
from typing import Any

import jax

from bench.arithmetic.numerics import as_here
from bench.settings.machine import cores

MOST = 8  # streams at a time
LARGE = 2**20  # numbers of an array whose operations keep all cores busy by themselves

Submit = Callable[..., Future]  # (function, *arguments)


def streams_for(numbers: int, devices: int) -> int:
    """How many walks go side by side whose arrays have so many numbers: one for each core, where devices leave some idle."""
    if jax.default_backend() != "cpu" or numbers > LARGE:
        return 1
    return min(max(1, cores() // devices), MOST)


@contextmanager
def streams(count: int, stopped: Event | None = None) -> Iterator[Submit]:
    """What runs functions in so many threads, with this one's settings of JAX; what still waits at the end is dropped.

    What runs then is waited for; where an error ends the block, as Ctrl-C does, ``stopped`` is set, for it to look at.
    """
    here = as_here()

    def settled(function: Callable[..., Any], *arguments: Any) -> Any:
        with here():
            return function(*arguments)

    pool = ThreadPoolExecutor(count)
    try:
        yield partial(pool.submit, settled)
    except BaseException:
        if stopped is not None:
            stopped.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def in_advance(ask: Callable[[int], Future], count: int, ahead: int) -> Iterator[Any]:
    """The answers for 0 … count - 1, of which so many are asked for before they are needed.

    The first is waited for by itself: it compiles.
    """
    asked = deque([ask(0)])
    for index in range(count):
        answer = asked.popleft().result()
        asked.extend(map(ask, range(index + 1 + len(asked), min(index + 1 + ahead, count))))
        yield answer


def counted(advance: Callable[[float], None], share: float, stopped: Event) -> Callable[[], None]:
    """What all threads call when they have done such a share of the work: they stop with CancelledError once that is set."""
    lock = Lock()

    def advanced() -> None:
        if stopped.is_set():
            raise CancelledError
        with lock:
            advance(share)

    return advanced


class Promised:
    """Values that one thread sets in their order, while others wait for some of them; once dropped, these stop."""

    def __init__(self, count: int) -> None:
        self._values: list[Future] = [Future() for _ in range(count)]

    def set(self, index: int, value: Any) -> None:
        self._values[index].set_result(value)

    def get(self, index: int) -> Any:
        return self._values[index].result()

    def drop(self) -> None:
        """Whoever asks for any value from now on stops with CancelledError."""
        for number, value in enumerate(self._values):
            if not value.cancel():
                self._values[number] = Future()
                self._values[number].cancel()


def first_alone() -> Callable[..., Any]:
    """``call(program, *arguments)``, of which the first of each program keeps others waiting: it is compiled once."""
    lock, compiled = Lock(), set()

    def call(program: Any, *arguments: Any) -> Any:
        if program in compiled:
            return program(*arguments)
        with lock:
            result = program(*arguments)
            compiled.add(program)
        return result

    return call
