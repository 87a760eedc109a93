"""JAX as the commands want it, in the surroundings that they meet."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import jax


def configure_jax(*, compilation_cache: bool) -> None:
    """One CPU device for each core, and a persistent compilation cache; what the user's environment sets, stays."""
    if "host_platform_device_count" not in os.environ.get("XLA_FLAGS", "") and "JAX_NUM_CPU_DEVICES" not in os.environ:
        with suppress(RuntimeError):  # JAX has started already, in a process that uses it for more than this command
            jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))
    if not compilation_cache:
        jax.config.update("jax_enable_compilation_cache", False)
    elif "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "depthscale"
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
