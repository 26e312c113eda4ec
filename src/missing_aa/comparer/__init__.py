"""Two versions of a library's source compared: what would break old whole-model pickles.

Nothing is imported or run; the standard library is enough.
"""
