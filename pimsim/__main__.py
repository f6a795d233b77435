"""``python -m pimsim``: the same as ``pimsim``."""

from pimsim.cli import main

main()
