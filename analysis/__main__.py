"""``python -m analysis``: figures of runs. ``python -m analysis heatmap --help`` shows a figure's options."""

from bench.terminal.process import run_process

if __name__ == "__main__":
    run_process("analysis.cli.main", "python -m analysis")
