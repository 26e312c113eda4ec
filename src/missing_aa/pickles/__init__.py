"""The pickle as a program, followed step by step; nothing is imported, nothing called."""
