"""An argument parser whose errors are one line, and which knows what was probably meant."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import NoReturn

from bench.settings.registry import nearest


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line, and knows what was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2 and one line, without the usage."""
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")

    def flags(self) -> Iterable[str]:
        """Every long option, of this parser and of its commands."""
        for action in self._actions:
            yield from (flag for flag in action.option_strings if flag.startswith("--"))
            if isinstance(action, argparse._SubParsersAction):
                for command in action.choices.values():
                    yield from command.flags()

    def parse_strictly(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """parse_args, with the nearest known flag for an unknown one."""
        parsed, unknown = self.parse_known_args(argv)
        if unknown:
            hint = nearest(unknown[0], [known for known in dict.fromkeys(self.flags()) if known != unknown[0]])
            self.error(f"unknown argument {unknown[0]!r}{hint}; --help lists what is accepted")
        return parsed


def flag(field: str) -> str:
    """The option of a field."""
    return "--" + field.replace("_", "-")
