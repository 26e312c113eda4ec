"""Which modules hold tensors, and which objects are optimizers: what many share is read once."""

from collections.abc import Iterator

from missing_aa.contents.standins import Standin, attributes, pairs

Known = dict[tuple[int, str], bool]
"""What was found of a value, by its id and by what it was read as."""

MODULE, CHILDREN, GROUPS, GROUP = "module", "_modules", "groups", "group"
OF_TENSORS = ("_parameters", "_buffers")


def holds_tensors(module: object, known: Known) -> bool:
    """Whether a module, or one below it, has something to save; most loss functions have not.

    Of modules that hold each other in a ring, the one that is met first counts.
    """
    top = (id(module), MODULE)
    if top in known:
        return known[top]
    known[top] = False
    way = [(top, _parts(module, MODULE))]
    while way:
        for value, kind in way[-1][1]:
            part = (id(value), kind)
            if part not in known:
                known[part] = kind in OF_TENSORS and _has_any(value)
                if kind not in OF_TENSORS:
                    way.append((part, _parts(value, kind)))
                    break
            if known[part]:
                known.update((around, True) for around, _ in way)
                return True
        else:
            way.pop()
    return False


def _parts(value: object, kind: str) -> Iterator[tuple[object, str]]:
    if kind == CHILDREN:
        return ((child, MODULE) for _, child in pairs(value))
    state = attributes(value)
    return ((state.get(held), held) for held in (*OF_TENSORS, CHILDREN))


def _has_any(value: object) -> bool:
    return any(item is not None for _, item in pairs(value))


def is_optimizer(value: object, known: Known) -> bool:
    """Known by its shape: one dictionary of state for each parameter, and groups of parameters."""
    values = dict(pair for pair in pairs(value) if type(pair[0]) is str) | attributes(value)
    groups = values.get("param_groups")
    if not isinstance(groups, list) or not isinstance(values.get("state"), Standin):
        return False
    key = (id(groups), GROUPS)
    if key not in known:
        known[key] = all(_is_group(group, known) for group in groups)
    return known[key]


def _is_group(value: object, known: Known) -> bool:
    key = (id(value), GROUP)
    if key not in known:
        known[key] = any(name == "params" for name, _ in pairs(value))
    return known[key]
