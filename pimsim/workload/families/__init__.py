"""Decoder families, by the name a workload file gives. Adding one is a file here and a line in this registry."""

from pimsim.workload.families import gpt2, llama

FAMILIES = {"gpt2": gpt2, "llama": llama}
