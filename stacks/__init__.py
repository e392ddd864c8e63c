"""The stacks of this project: their configuration files, and the one reader of them."""
