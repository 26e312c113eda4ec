"""The workshop kit: one archive that sets a machine up without a network."""
