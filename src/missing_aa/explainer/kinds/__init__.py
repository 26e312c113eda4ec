"""A file a kind of error: what else it can be (`other`), and the nearest that is known of it."""

from missing_aa.explainer import errors
from missing_aa.explainer.kinds import (
    cannot_get_attribute,
    cannot_import,
    missing_attribute,
    no_module,
    state_dict_keys,
    weights_only,
)

KINDS = {
    errors.ATTRIBUTE: missing_attribute,
    errors.MODULE: no_module,
    errors.LOOKUP: cannot_get_attribute,
    errors.IMPORT: cannot_import,
    errors.STATE_DICT: state_dict_keys,
    errors.WEIGHTS_ONLY: weights_only,
}
"""Kind -> the module that answers it: `other(error, seen)`, `nearest(error, seen, ledger)`."""
