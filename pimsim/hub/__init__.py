"""Folders as a model hub keeps them: reading the bytes of their weights. What tensors mean is not known here."""
