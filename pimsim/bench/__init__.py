"""Measurements of the simulator itself: speed of the engines, time and memory of whole requests, growth with tokens."""
