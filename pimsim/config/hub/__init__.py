"""Configurations as model hubs keep them, read into descriptions: a file for each group of architectures."""
