"""What a run will cost, told before it begins: counted from its settings, and timed by how fast this device is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax

from bench.runs.speed import Speed, speed_here
from bench.settings.units import amount, duration

# In units of what an entry of a cotangent costs in one layer, as measured on CPUs (python -m tests.perf.plan)
NUMBER = 5.0  # a random number, Gaussian
VALUE = 15.0  # a norm that comes back to the host
ROW = 500.0  # a row, made and written
# In units of what it takes to trace a program
COMPILING = 3.0
# Seconds
CALL = 2e-4  # of a program
SHARD = 0.01  # written and on the disk
START = 0.1  # of a run: its folder, its manifest
# Bytes on disk, beside what rows take
SHARD_BYTES = 5_500  # of one: its columns, described, and its line in the manifest
MANIFEST_BYTES = 1_200  # of a run's, beside those lines


class Work(NamedTuple):
    """What there is to do, in numbers."""

    useful: float = 0  # multiply-adds that the run's networks need
    padded: float = 0  # those that are done, as shapes are fixed
    entries: float = 0  # entries of states, each once for each layer it goes through, in units of a backward pass's
    numbers: float = 0  # random ones, in units of Gaussian ones
    values: float = 0  # that come back to the host
    rows: float = 0
    calls: float = 0  # of programs
    programs: float = 0  # to be compiled, in units of the engine's backward pass

    def __add__(self, other: tuple[object, ...]) -> Work:
        return Work(*(a + b for a, b in zip(self, Work(*other), strict=True)))  # type: ignore[arg-type, operator]


class Room(NamedTuple):
    """Bytes at the peak."""

    device: float  # of all devices together
    host: float
    disk: float  # of the whole run


@dataclass(frozen=True, repr=False)
class Estimate:
    """What a run costs on this machine: what :func:`bench.plan` returns and ``--dry-run`` prints.

    Counted exactly: cells, chunks, and multiply-adds, with and without those that only fill fixed shapes up. Estimated:
    seconds, from a measurement of this device that is kept in the cache folder, to compile and then to run; bytes at the
    peak, beyond those of a process that has imported everything; bytes on disk. On CPUs the devices' memory is the host's.
    """

    kind: str
    cells: int
    chunks: int
    useful_multiply_adds: float
    multiply_adds: float
    compile_seconds: float  # where the cache of compiled programs holds none of them
    seconds: float  # of the rest
    device_bytes: int
    host_bytes: int
    disk_bytes: int
    devices: str

    @property
    def padding(self) -> float:
        """How many times the useful arithmetic is done."""
        return self.multiply_adds / self.useful_multiply_adds if self.useful_multiply_adds else 1.0

    def __repr__(self) -> str:
        on_host = "the devices' is the host's" if "cpu" in self.devices else "on the devices"
        lines = {
            "cells": f"{self.cells:,} in {self.chunks:,} chunks",
            "multiply-adds": f"{self.useful_multiply_adds:.3g} useful, {self.multiply_adds:.3g} with padding "
            f"({self.padding:.3g} ×)",
            "time": f"about {duration(self.seconds)} on {self.devices}, and up to {duration(self.compile_seconds)} "
            "to compile what no run has compiled yet",
            "memory": f"about {amount(self.device_bytes)} of arrays ({on_host}), {amount(self.host_bytes)} of rows",
            "disk": f"about {amount(self.disk_bytes)}",
        }
        return "\n".join([f"A {self.kind}, not run:", *(f"  {name:13}  {words}" for name, words in lines.items())])


def estimate(kind: str, *, cells: int, chunks: int, work: Work, room: Room, dtype: str) -> Estimate:
    """The estimate of a run on this machine's devices, which are measured for it once."""
    speed, devices = speed_here(dtype), jax.local_devices()
    return Estimate(
        kind=kind,
        cells=cells,
        chunks=chunks,
        useful_multiply_adds=float(work.useful),
        multiply_adds=float(work.padded),
        compile_seconds=work.programs * COMPILING * speed.tracing,
        seconds=seconds_of(work, chunks, speed),
        device_bytes=int(room.device),
        host_bytes=int(room.host),
        disk_bytes=int(room.disk),
        devices=f"{len(devices)} × {devices[0].device_kind}",
    )


def seconds_of(work: Work, chunks: int, speed: Speed) -> float:
    """How long a run takes whose programs are compiled."""
    entries = work.entries + NUMBER * work.numbers + VALUE * work.values + ROW * work.rows
    return START + SHARD * chunks + CALL * work.calls + speed.product * work.padded + speed.entry * entries
