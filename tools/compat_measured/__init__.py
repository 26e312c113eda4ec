"""Measure `compat` against what releases really read."""
