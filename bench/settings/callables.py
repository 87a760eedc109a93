"""Names for callables, for the rows of a run: the same callable has the same name in every process, another one another.

What can be imported is called ``package.module:qualname``. Anything else, such as a lambda, a closure of
``jax.nn.initializers`` or a function of a script or notebook, is called after itself and a digest of what it computes
with: its code, defaults, closure and the globals that it uses. Code is Python's bytecode, since a source is
not always there, nor always what runs: under another minor version of Python such a callable has another name.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

SCRIPTS = ("__main__", "__mp_main__")  # modules that are another one in every process
DIGITS = 8  # of the digest, in a name
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


def importable_name(function: Any) -> str | None:
    """``package.module:qualname`` under which exactly this object can be imported, if there is one.

    Modules that begin with an underscore are another package's own affair: ``jax.nn:gelu``, wherever it is written.
    """
    module, path = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(path, str) or module in SCRIPTS or "<" in path:
        return None
    public = [part for part in module.split(".") if not part.startswith("_")]
    for home in [".".join(public[:count]) for count in range(len(public), 0, -1)] + [module]:
        try:
            found = pkgutil.resolve_name(f"{home}:{path}")
        except (ImportError, AttributeError, ValueError):
            continue
        if found is function:
            return f"{home}:{path}"
    return None


def short_name(function: Any) -> str:
    """What one calls it: ``variance_scaling.init``, ``lambda``, ``gelu`` of a partial of it."""
    if isinstance(function, functools.partial):
        return short_name(function.func)
    path = getattr(function, "__qualname__", None) or getattr(function, "name", None) or type(function).__name__
    parts = [part.strip("<>") for part in str(path).split(".") if part != "<locals>"]
    return ".".join("".join(letter if letter.isalnum() or letter == "_" else "_" for letter in part) for part in parts[-2:])


def digest(function: Any) -> str:
    """SHA-256 of what it computes with, as hexadecimal digits. Raises ValueError where that cannot be told."""
    return hashlib.sha256(repr(_content(function, ())).encode()).hexdigest()


def name_of(function: Callable[..., Any]) -> str:
    """The name of a callable that cannot be imported under one. Raises ValueError."""
    return f"{short_name(function)}-{digest(function)[:DIGITS]}"


def is_of_a_callable(name: str) -> bool:
    """Whether :func:`name_of` makes such names."""
    return re.fullmatch(rf"[\w.]+-[0-9a-f]{{{DIGITS}}}", name) is not None


def _content(value: Any, within: tuple[int, ...]) -> Any:
    """``value`` as something whose repr is the same in every process; ``within``: the ids of what it is part of."""
    import numpy as np  # here and below: help and ``list`` do without it

    if isinstance(value, (*PLAIN, np.dtype)):
        return type(value).__name__, repr(value)
    if isinstance(value, ModuleType):
        return "module", value.__name__
    if (name := importable_name(value)) is not None:
        return "import", name
    if id(value) in within:
        return "itself", within[::-1].index(id(value))
    within = (*within, id(value))
    return type(value).__name__, [_content(part, within) for part in _parts(value)]


def _parts(value: Any) -> Iterator[Any]:
    """What a value consists of. Raises ValueError for one of which that is not known."""
    match value:
        case FunctionType():
            yield from (value.__code__, value.__defaults__, value.__kwdefaults__)
            yield from (cell.cell_contents for cell in value.__closure__ or ())
            for name in sorted(_globals_of(value.__code__) & value.__globals__.keys()):
                yield from (name, value.__globals__[name])
        case MethodType():
            yield from (value.__func__, value.__self__)
        case functools.partial():
            yield from (value.func, value.args, value.keywords)
        case CodeType():
            yield from (value.co_code, value.co_exceptiontable, value.co_names, value.co_consts)
            yield from (value.co_argcount, value.co_kwonlyargcount, value.co_flags)
        case Mapping():
            for key in sorted(value, key=repr):
                yield from (key, value[key])
        case set() | frozenset():
            yield from sorted(value, key=repr)
        case tuple() | list():
            yield from value
        case _ if hasattr(value, "__array__") and hasattr(value, "dtype"):
            import numpy as np

            try:
                array = np.asarray(value)
            except TypeError as error:  # JAX's keys
                raise ValueError(f"a callable without {type(value).__name__} {value!r:.40} in it ({error})") from error
            yield from (array.dtype.name, array.shape, array.tolist() if array.dtype.hasobject else array.tobytes())
        case type():
            yield from (value.__qualname__, {name: part for name, part in vars(value).items() if callable(part)})
        case _ if hasattr(value, "__wrapped__"):  # by jax.jit, jax.custom_jvp and the like; with its rules, not its caches
            rules = {name: part for name, part in vars(value).items() if isinstance(part, FunctionType)}
            yield from (type(value), value.__wrapped__, rules)
        case _ if hasattr(value, "__dict__"):
            yield from (type(value), vars(value))
        case _:
            raise ValueError(
                "a callable made of numbers, arrays and functions, for a name to be made from them; this one uses "
                f"{type(value).__name__} {value!r:.40}: put it into a module and give package.module:attribute"
            )


def _globals_of(code: CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    own = {each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_GLOBAL"}
    return own.union(*map(_globals_of, inner))
