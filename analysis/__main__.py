"""``python -m analysis``: figures of runs. ``python -m analysis heatmap --help`` shows a figure's options."""

import sys

from analysis.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
