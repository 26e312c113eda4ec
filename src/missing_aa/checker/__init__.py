"""A whole-model file held against the source that would read it: what will be missing there.

Nothing of the file is run, and no library is imported; the standard library is enough.
"""
