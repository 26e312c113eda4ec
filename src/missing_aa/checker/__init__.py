"""A whole-model file compared with the source that would read it: what will be missing there.

Nothing of the file is run, and no library is imported; the standard library is enough.
"""
