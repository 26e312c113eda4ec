"""What libraries' own loaders read, as data; a row is one library.

A way out is a sentence; the lines below its first are commands.
"""

from typing import NamedTuple


class WholeLoader(NamedTuple):
    """A function that reads whole objects alone: its file and name, what writes them, and the rest.

    `state` says what else that library writes, and `ways` how that is read.
    """

    file: str
    function: str
    writer: str
    state: str
    ways: tuple[str, ...]


WHOLE_LOADERS = (
    WholeLoader(
        "fastai/learner.py",
        "load_learner",
        "Learner.export",
        "Learner.save writes a dictionary (the model's weights, and the optimizer's state)",
        (
            "If Learner.save wrote it: make the Learner again, with the same data and "
            "architecture, and load the state into it. The file lies in learn.path/models, and "
            "NAME is without its ending.\n"
            'learn.load("NAME")',
            "Or, where that Learner is: export it, and read that file here.\n"
            'learn.export("export.pkl")\n'
            'learn = load_learner("export.pkl")',
            "If another program wrote it: make the model first, and load the weights into it.",
        ),
    ),
)

READERS_OF_PICKLES = {"joblib", "cloudpickle", "dill", "numpy", "pandas", "pickle5"}
"""Packages that read whatever pickle they are given: which one was chosen by who calls them."""


class OwnForm(NamedTuple):
    """What a package's own files say of their writer, and how parts of them can be left out."""

    metadata: str
    instead: str


OWN_FILES = {
    "stable_baselines3": OwnForm(
        "system_info.txt in the file (a zip) names the versions",
        "Or give the objects that cannot be read yourself; those in the file are then not read.\n"
        'PPO.load(path, custom_objects={"learning_rate": 0.0, "lr_schedule": lambda _: 0.0, '
        '"clip_range": lambda _: 0.0})',
    ),
}
"""Package -> what is known of its own files."""
