"""The checks behind the exercises, a module for each subject.

A check says whether an answer is right and, where it is not, what is wrong, never the answer.
"""
