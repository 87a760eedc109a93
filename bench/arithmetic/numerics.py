"""What bits depend on beside the program, settled by the project and not by the environment that it runs in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from threadpoolctl import ThreadpoolController

from bench.settings.checks import PRECISIONS
from bench.settings.errors import SweepError

ALGORITHMS: dict[str, Any] = dict(zip(PRECISIONS, ("highest", "TF32_TF32_F32", "BF16_BF16_F32"), strict=True))
OF_THREADS: dict[str, Callable[[Any], AbstractContextManager[object]]] = {
    "jax_enable_x64": jax.enable_x64,
    "jax_threefry_partitionable": jax.threefry_partitionable,
    "jax_default_prng_impl": jax.default_prng_impl,
    "jax_default_matmul_precision": jax.default_matmul_precision,
    "jax_disable_jit": jax.disable_jit,
}


@contextmanager
def settled(dtype: str) -> Iterator[None]:
    """Within it rows are the same whatever ``JAX_…`` variables or :data:`jax.config` say.

    float64 is on for ``dtype="float64"`` alone; keys are threefry's, partitionable; products multiply all bits, but within
    :func:`multiplying`; programs are compiled, since operations that run one by one are rounded otherwise, and crawl.
    BLAS and LAPACK, which draw orthogonal matrices on the CPU one by one, get one thread each: more of them fight those of
    XLA, with the same results.
    """
    with (
        jax.enable_x64(dtype == "float64"),
        jax.threefry_partitionable(True),
        jax.default_prng_impl("threefry2x32"),
        multiplying(),
        jax.disable_jit(False),
        _blas().limit(limits=1, user_api="blas"),
    ):
        yield


def multiplying(precision: str = "full") -> AbstractContextManager[object]:
    """Within it products of float32 matrices multiply all bits, or those of TF32 or bfloat16; they are summed up in float32.

    Of a product that says its own precision, as :func:`jax.grad` of one does, that holds.
    """
    return jax.default_matmul_precision(ALGORITHMS[precision])


def as_here() -> Callable[[], AbstractContextManager[object]]:
    """What other threads enter to compute as this one does: JAX keeps these settings for each thread."""
    values = [(of, getattr(jax.config, name)) for name, of in OF_THREADS.items()]

    @contextmanager
    def here() -> Iterator[None]:
        with ExitStack() as stack:
            for of, value in values:
                stack.enter_context(of(value))
            yield

    return here


def check_precision(precision: str) -> None:
    """Raises SweepError where this process's devices do not multiply so."""
    if precision == "full":
        return
    accepted = f"full: {jax.local_devices()[0].device_kind} multiplies in nothing else"
    if jax.default_backend() == "cpu":  # where one of them is ignored
        raise SweepError("precision", precision, accepted)
    try:
        with multiplying(precision):
            jax.block_until_ready(jnp.ones((8, 8)) @ jnp.ones((8, 8)))
    except (ValueError, NotImplementedError, jax.errors.JaxRuntimeError) as error:
        raise SweepError("precision", precision, accepted) from error


@cache
def _blas() -> ThreadpoolController:
    import scipy.linalg.cython_lapack  # noqa: F401  (what JAX draws with, loaded so that it is found)

    return ThreadpoolController()
