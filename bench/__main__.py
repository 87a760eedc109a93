"""``python -m bench``: the command line. ``python -m bench sweep --help`` shows every option."""

from bench.terminal.process import run_process

if __name__ == "__main__":
    run_process("bench.cli.main", "bench")
