"""Where in a file the pickle and the bytes of its tensors lie: zip, legacy, tar, bare, safetensors."""
