"""``python -m bench``: the command line. ``python -m bench sweep --help`` shows every option."""

import sys

from bench.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
