"""Free text of measurements: devices with counts and suffixes, models, frameworks."""

from __future__ import annotations

import pytest

from pimsim.baselines.match import match_device, match_framework, match_model
from pimsim.baselines.stacks import FRAMEWORKS


@pytest.mark.parametrize(
    ("text", "name", "devices"),
    [
        ("T4", "t4", 1),
        ("NVIDIA Tesla T4", "t4", 1),
        ("A100-80 SXM (330 W)", "a100_80", 1),
        ("A100-80 (4 GPU)", "a100_80", 4),
        ("4x A100-80 SXM", "a100_80", 4),
        ("A100 (vidur)", "a100_80", 1),
        ("A100 (40GB)", "a100_40", 1),
        ("NVIDIA A100-SXM4-80GB", "a100_80", 1),
        ("NVIDIA A100 80GB PCIe", "a100_80_pcie", 1),
        ("H100 SXM", "h100", 1),
        ("NVIDIA H100 80GB HBM3", "h100", 1),
        ("H100 PCIe", "h100_pcie", 1),
        ("H200", "h200", 1),
        ("GeForce RTX 3090 Ti", "rtx_3090_ti", 1),
        ("RTX 3090", "rtx_3090", 1),
        ("NVIDIA GeForce RTX 4090 24GB", "rtx_4090", 1),
        ("RTX 5090", "rtx_5090", 1),
        ("RTX A6000", "rtx_a6000", 1),
        ("A40 (vidur)", "a40", 1),
        ("L40S", "l40s", 1),
        ("Tesla V100-SXM2-16GB", "v100", 1),
        ("Jetson AGX Orin 64GB", "jetson_agx_orin", 1),
        ("Apple M1 Pro CPU", "m1_pro_cpu", 1),
        ("Apple M2 Ultra (76-core GPU)", "m2_ultra", 1),
        ("2x Xeon Platinum 8480+", "xeon_platinum_8480", 2),
        ("Xeon Gold 6430 (64 cores)", "xeon_gold_6430", 2),
        ("Xeon Gold 6430 (32 cores)", "xeon_gold_6430", 1),
        ("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", "xeon_platinum_8259cl", 1),
        ("AMD EPYC 9654 96-Core Processor", "epyc_9654", 1),
        ("Intel Core i7-1165G7", "core_i7_1165g7", 1),
        ("rtx_4090", "rtx_4090", 1),
        ("RTX 4070 Ti", "rtx_4070_ti", 1),
        ("RTX 4070", "rtx_4070", 1),
        ("A10", "a10", 1),
        ("A10G", "a10g", 1),
        ("M1", "m1", 1),
        ("M1 Ultra", "m1_ultra", 1),
        ("8 x B200", "b200", 8),
        ("2 x EPYC 7742", "epyc_7742", 2),
        ("NVIDIA A100-PCIE-40GB", "a100_40", 1),
        ("A100 80G", "a100_80", 1),
        ("A100 40 GB", "a100_40", 1),
        ("M1 Pro", "m1_pro", 1),
        ("Apple M4 Pro", "m4_pro", 1),
        ("M3", "m3", 1),
    ],
)
def test_devices(text: str, name: str, devices: int) -> None:
    match = match_device(text)
    assert match is not None
    assert (match.baseline.name, match.devices) == (name, devices)


@pytest.mark.parametrize(
    "text", ["other GPU (unnamed)", "unknown CUDA GPU", "RTX 9999", "A1000", "", "Xeon", "RTX 4090 Laptop GPU"]
)
def test_unknown_devices_are_not_guessed(text: str) -> None:
    assert match_device(text) is None


@pytest.mark.parametrize(
    ("text", "workload", "linear_only"),
    [
        ("GPT-2 124M", "gpt2_small", False),
        ("GPT-2 small", "gpt2_small", False),
        ("gpt2", "gpt2_small", False),
        ("openai-community/gpt2-xl", "gpt2_xl", False),
        ("GPT-2 345M", "gpt2_medium", False),
        ("GPT-2 774M", "gpt2_large", False),
        ("GPT-2 XL 1.5B", "gpt2_xl", False),
        ("GPT-350M (24L,1024)", "gpt_350m", False),
        ("GPT-1.3B (24L,2048)", "gpt_1_3b", False),
        ("meta-llama/Llama-2-7b-chat-hf", "llama2_7b", False),
        ("Llama-2-7B linear layers only", "llama2_7b", True),
        ("Llama 3.1 8B Instruct", "llama3_1_8b", False),
        ("Qwen2.5-3B-Instruct", "qwen2_5_3b", False),
        ("Qwen 2.5 32B", "qwen2_5_32b", False),
        ("Gemma-2B", "gemma_2b", False),
        ("Mistral-7B-v0.1", "mistral_7b", False),
        ("gpt3_xl", "gpt3_xl", False),
        ("llama2_13b", "llama2_13b", False),
        ("Meta-Llama-3-8B-Instruct", "llama3_1_8b", False),
        ("GPT-2 Medium 355M", "gpt2_medium", False),
        ("Qwen2.5-72B-Instruct", "qwen2_5_72b", False),
    ],
)
def test_models(text: str, workload: str, linear_only: bool) -> None:
    assert match_model(text) == (workload, linear_only)


@pytest.mark.parametrize("text", ["GPT-13B", "Llama-2-71B", "BERT", "Qwen3-9B", "GPT-2 5B", ""])
def test_unknown_models_are_not_guessed(text: str) -> None:
    assert match_model(text) is None


@pytest.mark.parametrize(
    ("text", "framework"),
    [
        ("HF transformers eager", "transformers"),
        ("HF + FlashAttention-2", "transformers"),
        ("HF CPU", "transformers"),
        ("HF transformers + torch.compile", "torch_compile"),
        ("gpt-fast torch.compile", "torch_compile"),
        ("tinygrad JIT+BEAM", "tinygrad"),
        ("FasterTransformer", "faster_transformer"),
        ("FasterTransformer TF/PyT op", "faster_transformer"),
        ("TensorRT-LLM", "tensorrt_llm"),
        ("vLLM (per paper, recalled)", "vllm"),
        ("llama.cpp, 56 threads", "llama_cpp"),
        ("ggml", "llama_cpp"),
        ("nanoGPT generate", "pytorch"),
        ("PyTorch eager (pimsim measure)", "pytorch"),
        ("sum of measured kernels (v0)", "kernel_sum"),
        ("kernel medians", "kernel_sum"),
        ("fused", "vllm"),
        ("Eager", "transformers"),
        ("kernels", "kernel_sum"),
        ("MatLab", None),
    ],
)
def test_frameworks(text: str, framework: str | None) -> None:
    assert match_framework(text) == framework


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_framework_answers_to_the_name_that_the_command_line_takes(name: str) -> None:
    assert match_framework(name) == name
