"""Names that Python 2 gave to what Python 3 keeps elsewhere, as unpicklers map them."""

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING


def modern_name(module: str, name: str) -> tuple[str, str]:
    """Module and name in Python 3: `__builtin__ set` becomes `builtins set`.

    This is Python's own table; torch's restricted reader maps with a part of it, and at every
    protocol, where Python maps only up to protocol 2.
    """
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name
