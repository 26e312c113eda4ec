"""What an error means that a checkpoint from another timm release brings, answered from the atlas.

`answer` takes a text, `about` a checkpoint, and `index` gives every error of the atlas. Standard
library only.
"""
