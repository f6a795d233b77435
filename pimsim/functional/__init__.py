"""Run numbers through the programs that are timed, beside an independent model of the same decoder."""
