"""Keep a model with a record of what it computes."""
