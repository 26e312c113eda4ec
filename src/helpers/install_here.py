"""Install the course over the torch that is here, where a lesson's first cell finds it missing.

On Colab, and wherever else the packages are not ours. It is run in the notebook's own Python, from
a clone, and imports nothing of the course.
"""

import site
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Install the clone that this file lies in, and the releases that the lessons use."""
    print("Bringing the course: some minutes, once.")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--editable", f"{ROOT}[course]"]
    subprocess.run(pip, check=True)
    # The running Python does not see a path file that is written now.
    site.addsitedir(sysconfig.get_path("purelib"))
    subprocess.run([sys.executable, "-m", "missing_aa", "fetch"], check=True)


if __name__ == "__main__":
    main()
