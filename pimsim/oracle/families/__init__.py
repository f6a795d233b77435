"""Families of decoders: how each names its configuration and weights, and which parts it is made of."""
