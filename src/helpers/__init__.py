"""The course: what the lessons of The Missing aa import, and what runs, checks and teaches them.

It comes with a checkout or a workshop kit. The tool, `missing_aa`, imports nothing of it.
Importing it loads none of torch, timm or matplotlib.
"""
