"""Command-line verbs, one file each: argument parsing and printing over the public API."""
