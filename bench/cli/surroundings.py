"""JAX as the commands want it, in the surroundings that they meet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.runs.cache import cache_folder, is_writable
from bench.settings.errors import UsageError, shown
from bench.settings.machine import cores
from bench.terminal.streams import note

INSTALL = "pip install 'depthscale[cuda13]' (or cuda12, tpu) for accelerators, or unset it for what there is"


def configure_jax(*, compilation_cache: bool) -> None:
    """One CPU device for each core, and a persistent compilation cache; what the user's environment sets, stays.

    Raises UsageError for a variable of the environment with which JAX does not start.
    """
    jax = import_jax()
    count = os.environ.get("JAX_NUM_CPU_DEVICES")
    if count is not None and jax.config.jax_num_cpu_devices < 1:
        raise UsageError(f"JAX_NUM_CPU_DEVICES: got {shown(count)}, expected a whole number ≥ 1")
    if "host_platform_device_count" not in os.environ.get("XLA_FLAGS", "") and "JAX_NUM_CPU_DEVICES" not in os.environ:
        with suppress(RuntimeError):  # JAX has started already, in a process that uses it for more than this command
            jax.config.update("jax_num_cpu_devices", cores())
    if not compilation_cache or _is_useless(os.environ.get("JAX_COMPILATION_CACHE_DIR")):
        jax.config.update("jax_enable_compilation_cache", False)
    elif "JAX_COMPILATION_CACHE_DIR" not in os.environ and (folder := cache_folder()) is not None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    try:
        jax.local_devices()
    except Exception as error:  # an assertion, where a plugin for what is asked for is not installed
        asked = os.environ.get("JAX_PLATFORMS", "")
        reason = (str(error) or "nothing of the kind is installed").splitlines()[0]
        raise UsageError(f"JAX_PLATFORMS: got {shown(asked)}, which does not start here ({reason}); {INSTALL}") from error


@contextmanager
def quickly_compiled() -> Iterator[None]:
    """On a CPU, without most of the compiler's optimizations: for programs that run a few times and take long to compile."""
    import jax

    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", before or jax.default_backend() == "cpu")
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)


def import_jax() -> Any:
    """JAX, which reads its variables when it is imported. Raises UsageError for one that it cannot use."""
    try:
        import jax
    except ValueError as error:
        named = [name for name in sorted(os.environ) if name.startswith("JAX_") and _is_about(str(error), name)]
        if not named:
            raise
        raise UsageError(f"{named[0]}: got {shown(os.environ[named[0]])}, expected what JAX takes ({error})") from error
    return jax


def _is_about(message: str, variable: str) -> bool:
    return variable.casefold() in message.casefold() or repr(os.environ[variable]) in message


def _is_useless(given: str | None) -> bool:
    """Whether nothing can be kept in a folder that is asked for; one line tells it, where JAX warns for every program."""
    if not given or "://" in given or is_writable(Path(given)):
        return False
    note(f"JAX_COMPILATION_CACHE_DIR: {shown(given)} cannot be written; compiled programs are not kept")
    return True
