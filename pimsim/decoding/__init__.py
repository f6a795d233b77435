"""Decoding strategies: what is fed next, and what of it stays. Above the step; nothing below knows why rows go together."""
