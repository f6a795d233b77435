"""Other groups' PIM devices, run as their simulators run them: their programs, their controllers, their rules."""
