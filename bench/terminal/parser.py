"""An argument parser whose errors are one line, and which knows what was probably meant."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

from bench.settings.suggestions import nearest
from bench.terminal.streams import error_stream

DISTRIBUTION = "depthscale"
SHELLS = ("bash", "zsh", "tcsh")


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one line, and knows what was probably meant."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._negative_number_matcher: Any = re.compile(r"-\.?\d")  # a range such as -1:1:5 is no option either

    def error(self, message: str) -> NoReturn:
        """Exit with status 2 and one line, without the usage."""
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Argparse drops what cannot be written; where that is standard output, it is an error as any other."""
        if message:
            (sys.stdout if file is sys.stdout else error_stream()).write(message)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """Argparse takes ``--option=--`` for no value at all, and nobody means the empty one: as a path it is the folder."""
        if action.nargs != argparse.PARSER and (arg_strings == ["--"] or "" in arg_strings):
            name = action.option_strings[-1] if action.option_strings else action.metavar or action.dest
            self.error(f"{name}: got {'' if '' in arg_strings else '--'!r}, expected a value")
        return super()._get_values(action, arg_strings)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Argparse knows what is accepted, and not what was probably meant."""
        known = None if action.choices is None else list(map(str, action.choices))
        if known is not None and value not in known:
            words = f"got {value!r}, expected one of {', '.join(known)}{nearest(str(value), known)}"
            raise argparse.ArgumentError(action, words)

    def parsers(self) -> Iterator[argparse.ArgumentParser]:
        """The parser and those of its commands."""
        yield self
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for command in action.choices.values():
                    yield from command.parsers()

    def flags(self) -> Iterable[str]:
        """Every long option, of this parser and of its commands."""
        for parser in self.parsers():
            for action in parser._actions:
                yield from (flag for flag in action.option_strings if flag.startswith("--"))

    def parse_strictly(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """parse_args, with the nearest flag of the same command for an unknown one."""
        parsed, unknown = self.parse_known_args(argv)
        if unknown:
            command: Any = self
            for action in self._actions:
                if isinstance(action, argparse._SubParsersAction):
                    command = action.choices[getattr(parsed, action.dest)]
            hint = nearest(unknown[0], [known for known in dict.fromkeys(command.flags()) if known != unknown[0]])
            command.error(f"unknown argument {unknown[0]!r}{hint}; --help lists what is accepted")
        return parsed


class Version(argparse.Action):
    """``--version``: which version is installed."""

    def __init__(self, option_strings: Sequence[str], dest: str, **_: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the installed version")

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version  # only here, as shtab below

        try:
            found = version(DISTRIBUTION)
        except PackageNotFoundError:
            found = "from a checkout that is not installed"
        print(DISTRIBUTION, found)
        parser.exit()


class Completion(argparse.Action):
    """``--print-completion SHELL``: what makes a shell complete commands, options and names.

    ``prepare``: gives the parser what only completion needs.
    """

    def __init__(self, option_strings: Sequence[str], dest: str, prepare: Callable[[Any], Any], **_: Any) -> None:
        words = "print what makes that shell complete commands, options and names"
        super().__init__(option_strings, dest, choices=SHELLS, metavar="SHELL", help=words)
        self._prepare = prepare

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, shell: Any, *_: Any) -> None:
        import shtab

        del namespace
        self._prepare(parser)
        print(shtab.complete(parser, shell))
        parser.exit()


def flag(field: str) -> str:
    """The option of a field."""
    return "--" + field.replace("_", "-")
