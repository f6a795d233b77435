"""Parts of decoders: each file writes the tensors, operations and dependencies of one part into a Collector."""
