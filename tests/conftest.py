"""Every test runs with JAX's strictest promotion rules, so that no array is broadcast or widened unasked.

Programs are compiled once for the whole run, and kept for the next. JAX neither locks its cache nor writes it in one step,
so each of pytest-xdist's workers has a folder of its own, and after each file of tests shares what it has compiled.

Compiling is most of the time of the tests. Programs that are small and run once need few of the compiler's optimizations,
and do without the others here; --optimized compiles as users' programs are. Tests marked ``optimized`` are run so too (make
thorough): they hold bits, which a vectorizing compiler could change.
"""

import contextlib
import os
import re
import zlib
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

import pytest

# what jaxlib 0.10 knows; another version would stop at a flag that it does not know
HARDLY_OPTIMIZED = {
    "xla_backend_optimization_level": "1",  # at 0, networks of many seeds run three times as long
    "xla_cpu_use_fusion_emitters": "false",
    "xla_cpu_parallel_codegen_split_count": "1",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--optimized", action="store_true", help="compile programs as users' programs are compiled")
    parser.addoption("--part", metavar="K/N", default="1/1", help="the K-th of N parts of the tests, whichever they are")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("optimized") and version("jaxlib").startswith("0.10."):
        flags = (f"--{name}={value}" for name, value in HARDLY_OPTIMIZED.items())
        os.environ["XLA_FLAGS"] = " ".join([*flags, os.environ.get("XLA_FLAGS", "")])
    if hasattr(os, "sched_setaffinity"):  # a core each: the threads of one worker would wait for those of another
        cores, worker = sorted(os.sched_getaffinity(0)), os.environ.get("PYTEST_XDIST_WORKER", "")
        if 1 < len(cores) <= int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1)):
            os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})
    programs = config.rootpath / ".pytest_cache" / "programs"
    folder = programs / os.environ.get("PYTEST_XDIST_WORKER", "main")
    # in the environment, so that the processes that tests start have them too
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads would wait for JAX's, and for the other workers'
    for each in (folder, programs / "whole"):
        each.mkdir(parents=True, exist_ok=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)  # a worker has inherited that of the process that started it
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


@pytest.hookimpl(trylast=True)  # of those that -m and -k have left
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = config.getoption("part")
    if not re.fullmatch(r"[1-9]\d*/[1-9]\d*", asked) or Fraction(asked) > 1:
        raise pytest.UsageError(f"--part: got {asked!r}, expected K/N, 1 ≤ K ≤ N")
    part, parts = map(int, asked.split("/"))
    others = [item for item in items if zlib.crc32(item.nodeid.encode()) % parts != part - 1]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.getoption("part") != "1/1":
        session.exitstatus = pytest.ExitCode.OK  # a part of few tests may hold none


@pytest.fixture(autouse=True, scope="session")
def _strict_promotion():
    import jax  # reads the environment that pytest_configure has set

    jax.config.update("jax_numpy_rank_promotion", "raise")
    jax.config.update("jax_numpy_dtype_promotion", "strict")


def link_missing(source: Path, target: Path) -> None:
    """Every file of one folder in another too; a link is there at once, and whole."""
    for name in {*os.listdir(source)} - {*os.listdir(target)}:
        with contextlib.suppress(FileExistsError):  # another worker was first
            os.link(source / name, target / name)


@pytest.fixture(autouse=True, scope="module")
def _programs_of_all_workers():
    ours = Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    whole = ours.parent / "whole"
    link_missing(whole, ours)
    yield
    link_missing(ours, whole)
