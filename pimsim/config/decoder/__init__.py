"""Description of a decoder as parts: one file a part."""
