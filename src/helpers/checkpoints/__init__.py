"""Checkpoints: say what one holds without running it, and get the weights out.

`inspect` needs the standard library only; nothing here imports torch before it is needed.
"""
