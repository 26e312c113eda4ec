"""Which timm release reads what another one wrote: measured, cell by cell.

A cell is a model, the release that wrote it, the release that reads it, and a format: the whole
pickle, the state_dict, or the rescued weights.
"""
