"""Every test runs with JAX's strictest promotion rules, so that no array is broadcast or widened unasked.

Programs are compiled once for the whole run, and kept for the next: in a folder for each of pytest-xdist's workers, since
JAX does not lock its cache.
"""

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    folder = config.rootpath / ".pytest_cache" / "programs" / worker
    # in the environment, so that the processes that tests start have them too
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads would wait for JAX's, and for the other workers'
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


@pytest.fixture(autouse=True, scope="session")
def _strict_promotion():
    import jax  # reads the environment that pytest_configure has set

    jax.config.update("jax_numpy_rank_promotion", "raise")
    jax.config.update("jax_numpy_dtype_promotion", "strict")
