"""Where the pickle and the bytes of tensors lie: zip, legacy, tar, bare, safetensors."""
