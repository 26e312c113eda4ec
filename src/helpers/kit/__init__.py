"""The workshop kit: one archive that sets a machine up without a network."""

import os
import sys
from pathlib import Path

LIST = "kit.json"
"""What a kit is for and what it holds; lies in its folder."""

INSTALL = r"py .\install" if os.name == "nt" else "python3 install"
"""What a learner types in the kit's folder."""


def folder() -> Path | None:
    """The kit's folder, if this Python was installed from one."""
    above = Path(sys.prefix).parent
    return above if (above / LIST).is_file() else None
