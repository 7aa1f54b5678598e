"""``python -m inrlens`` is the program ``inrlens``."""

import sys

from inrlens.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
