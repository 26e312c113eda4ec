"""What a dictionary of the file carries as attributes, beside its pairs."""

from missing_aa.contents.standins import ORDERED_DICT
from missing_aa.pickles.program import NODES, Dict, Object

VERSIONS_DEPTH = 3
"""How deep they lie that torch puts beside a state_dict: a version for each module."""


class Plain:
    """Tells values, and dictionaries of nothing else, from what could hold a tensor or a model."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], bool] = {}
        """What was found of a node, by its id and the depth that was left to it."""

    def holds(self, state: object) -> bool:
        """Whether a state is no more than torch puts beside a state_dict."""
        return self._is_plain(state, VERSIONS_DEPTH)

    def _is_plain(self, node: object, depth: int) -> bool:
        if type(node) not in NODES:
            return True
        if depth == 0 or not isinstance(node, Dict | Object) or not _is_dictionary_alone(node):
            return False
        key = (id(node), depth)
        if key not in self._known:
            values = (value for _, value in node.pairs)
            self._known[key] = all(self._is_plain(value, depth - 1) for value in values)
        return self._known[key]


def _is_dictionary_alone(node: Dict | Object) -> bool:
    if isinstance(node, Dict):
        return True
    return str(node.made_by) == ORDERED_DICT and not node.args and not node.states
