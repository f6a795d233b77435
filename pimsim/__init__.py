"""Cycle-accurate simulator of DRAM processing-in-memory accelerators for decoder-only language models."""
