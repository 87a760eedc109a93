"""What bits depend on beside the program, settled by the project and not by the environment that it runs in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import jax
from threadpoolctl import ThreadpoolController


@contextmanager
def settled(dtype: str) -> Iterator[None]:
    """Within it rows are the same whatever ``JAX_…`` variables or :data:`jax.config` say.

    float64 is on for ``dtype="float64"`` alone; keys are threefry's, partitionable; products have the default precision
    where none is asked for; programs are compiled, since operations that run one by one are rounded otherwise, and crawl.
    BLAS and LAPACK, which draw orthogonal matrices on the CPU one by one, get one thread each: more of them fight those of
    XLA, with the same results.
    """
    with (
        jax.enable_x64(dtype == "float64"),
        jax.threefry_partitionable(True),
        jax.default_prng_impl("threefry2x32"),
        jax.default_matmul_precision("default"),
        jax.disable_jit(False),
        _blas().limit(limits=1, user_api="blas"),
    ):
        yield


@cache
def _blas() -> ThreadpoolController:
    import scipy.linalg.cython_lapack  # noqa: F401  (what JAX draws with, loaded so that it is found)

    return ThreadpoolController()
