"""Decoding strategies on a device: their steps lowered, simulated and booked by phase."""
