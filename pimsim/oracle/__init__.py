"""Decoders in plain NumPy and float64, written from their architectures, to compare every other computation with.

Reads a hub folder on its own (``config.json`` and weights) and shares nothing with the importer, the program or the executor.
"""
