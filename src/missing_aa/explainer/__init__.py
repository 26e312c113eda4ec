"""What an error, or a checkpoint, means, answered from what real releases did with real files."""
