"""Where in a file the pickle and its tensors' bytes lie: zip, legacy, bare, safetensors."""
