"""`python -m missing_aa` is the command `missing-aa`."""

import sys

from missing_aa.cli import main

sys.exit(main())
