"""Every test runs with JAX's strictest promotion rules, so that no array is broadcast or widened unasked."""

import jax
import pytest


@pytest.fixture(autouse=True, scope="session")
def _strict_promotion():
    jax.config.update("jax_numpy_rank_promotion", "raise")
    jax.config.update("jax_numpy_dtype_promotion", "strict")
