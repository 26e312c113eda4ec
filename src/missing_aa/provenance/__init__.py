"""Which timm release can have written a file."""
