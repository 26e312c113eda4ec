"""Hold `missing-aa check` against what happens: what real releases met, loading and running."""
