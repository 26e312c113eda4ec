"""`python -m helpers.cli` is the command `missing-aa`."""

import sys

from helpers.cli import main

sys.exit(main())
