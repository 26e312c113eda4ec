"""Get the weights out of a whole-model file, bit for bit."""
