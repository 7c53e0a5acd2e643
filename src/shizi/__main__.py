"""`python -m shizi`: the same as the command `shizi`."""

from __future__ import annotations

import sys

from shizi.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
