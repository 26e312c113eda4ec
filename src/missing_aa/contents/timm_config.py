"""What a timm model says of itself: plain values in its attributes, believed only in plain form."""

import re
from collections.abc import Iterable

from missing_aa.contents.standins import Standin, attributes, pairs
from missing_aa.contents.views import View

CONFIGS = ("pretrained_cfg", "default_cfg")
SIZES = ("input_size", "test_input_size")
LARGEST = 4096
INPUT = (*SIZES, "interpolation", "crop_pct", "test_crop_pct", "crop_mode")
SAID = (*INPUT, "mean", "std", "fixed_input_size")
"""What of a pretrained_cfg tells how to prepare an image."""


def architecture(model: Standin) -> str | None:
    name = _config(model).get("architecture")
    return name if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name) else None


def num_classes(model: Standin, tensors: Iterable[View]) -> int | None:
    """What the model says, if one of its tensors has so many rows: a replaced head has others."""
    number = attributes(model).get("num_classes", _config(model).get("num_classes"))
    rows = {view.shape[0] for view in tensors if view.shape}
    return number if type(number) is int and number in {0, *rows} else None


def config(model: Standin) -> dict:
    known = _config(model)
    return {
        key: known[key]
        for key in SAID
        if (_is_size(known.get(key)) if key in SIZES else _is_plain(known.get(key)))
    }


def _config(model: Standin) -> dict:
    """The model's pretrained_cfg; a dictionary, or a dataclass's attributes in some releases."""
    for name in CONFIGS:
        found = attributes(model).get(name)
        if known := attributes(found) or dict(_texts(found)):
            return known
    return {}


def _texts(value: object):
    return ((key, item) for key, item in pairs(value) if isinstance(key, str))


def _is_size(value: object) -> bool:
    """Channels, height and width of an image, of which timm may make as many weights."""
    if not isinstance(value, tuple | list) or len(value) != 3:
        return False
    return all(type(side) is int and 0 < side <= LARGEST for side in value)


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list):
        return len(value) <= 3 and all(map(_is_number, value))
    return _is_number(value) or (type(value) is str and len(value) <= 50)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < 2**31  # also not for NaN
