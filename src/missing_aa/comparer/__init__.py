"""Two versions of a library's source held against each other: what would break old pickles.

Nothing is imported or run; the standard library is enough.
"""

from helpers.compat.comparing import Comparison, compare, findings

__all__ = ["Comparison", "compare", "findings"]
