"""Find every checkpoint below a path, and judge it."""
