"""Was this Python installed from a workshop kit, and from which?"""

import os
import sys
from pathlib import Path

KIT_LIST = "kit.json"
"""What a kit is for and what it holds; lies in its folder."""

KIT_STATE = ".venv/installed.json"
"""What `install` notes in it, the folder among it."""

KIT_INSTALL = r"py .\install" if os.name == "nt" else "python3 install"
"""What a learner types in the kit's folder."""


def kit_folder() -> Path | None:
    """The kit's folder, if this Python was installed from one."""
    above = Path(sys.prefix).parent
    return above if (above / KIT_LIST).is_file() else None
