"""Read the free text of measurements: which device and how many, which workload, which framework, which number format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from pimsim.baselines.stacks import FRAMEWORKS, STACKS, framework_of
from pimsim.config import shipped
from pimsim.config.baseline import Baseline, baseline_names, load_baseline
from pimsim.config.load import load_workload

_VENDORS = re.compile(r"\b(nvidia|geforce|intel|amd|apple|tesla|instinct|quadro|processor|cpu @.*)\b", re.IGNORECASE)
_SUFFIX = re.compile(r"(\d+gb|\d+core|sxm\d?|pcie|gpu|nvlink|hbm\de?|desktop|oc|server|superpod)*")
_MODEL_SUFFIX = re.compile(r"(instruct|chat|hf|base|it|v\d(\.\d)?|fp16|fp32|bf16|f16|f32|model)*")
_COUNT = (
    re.compile(r"\(\s*(\d+)\s*x?\s*gpus?\s*\)", re.IGNORECASE),
    re.compile(r"^\s*(\d+)\s*[x×]\s+", re.IGNORECASE),
    re.compile(r"^\s*(\d+)[x×](?=[a-z])", re.IGNORECASE),
    re.compile(r"\s[x×]\s?(\d+)\s*$", re.IGNORECASE),
    re.compile(r"\(\s*(\d+)[\s-]*sockets?\s*\)", re.IGNORECASE),
)
_CORES = re.compile(r"(\d+)\s*cores", re.IGNORECASE)
_GIGABYTES = re.compile(r"\b(\d+)\s*gi?b?\b", re.IGNORECASE)
_PARENTHESES = re.compile(r"\([^)]*\)")
_LINEAR = re.compile(r"\blinear layers only\b", re.IGNORECASE)

# Names of frameworks and stacks as `--stack` takes them are themselves. Else the first pattern that occurs decides: what wraps a library comes before the library.
_FRAMEWORKS = (
    ("kernel_sum", r"kernel"),
    ("tinygrad", r"tinygrad"),
    ("torch_compile", r"gpt-?fast|compile|inductor|cuda ?graph"),
    ("faster_transformer", r"faster ?transformer|\bft\b"),
    ("tensorrt_llm", r"tensor ?rt|\btrt"),
    ("vllm", r"vllm|sglang|lmdeploy|\btgi\b|text-generation-inference|deepspeed|lightllm|dashinfer"),
    ("llama_cpp", r"llama\.?cpp|ggml|gguf|ollama|llamafile|\bmlc\b|\bmlx\b|exllama|koboldcpp|llama2\.c"),
    ("pytorch", r"nano-?gpt|min-?gpt|pytorch eager|lit-?gpt"),
    ("transformers", r"\bhf\b|transformers|hugging ?face|optimum|eager|pytorch|\btorch\b"),
)

# Bytes a stored weight; block formats with their scales.
WEIGHT_BYTES: Mapping[str, float] = {
    "fp32": 4, "f32": 4, "float32": 4, "tf32": 4, "fp16": 2, "f16": 2, "float16": 2, "half": 2, "bf16": 2, "bfloat16": 2,
    "fp8": 1, "int8": 1, "w8a16": 1, "8-bit": 1, "q8_0": 1.0625, "int4": 0.625, "4-bit": 0.625, "w4a16": 0.625,
    "q4_0": 0.5625, "q4_k_m": 0.6, "q4_k": 0.5625, "q5_k_m": 0.71, "q6_k": 0.82, "nf4": 0.5625, "gptq": 0.5625, "awq": 0.5625,
}  # fmt: skip


class DeviceMatch(NamedTuple):
    """A device and how many GPUs or CPU sockets of it."""

    baseline: Baseline
    devices: int


class ModelMatch(NamedTuple):
    """A shipped workload's name, and whether only the layers' matrix products were measured."""

    workload: str
    linear_only: bool


def match_device(text: str) -> DeviceMatch | None:
    """The baseline device that ``text`` names, with vendor words, counts and power limits put aside; None if unknown.

    A path to a YAML file is loaded as one; ConfigError if it is wrong.
    """
    if text.endswith((".yaml", ".yml")):
        return DeviceMatch(load_baseline(text), 1)
    count = next((int(found[1]) for pattern in _COUNT if (found := pattern.search(text))), 1)
    bare = text
    for pattern in _COUNT:
        bare = pattern.sub(" ", bare)
    name = _find(bare, _device_labels(), _SUFFIX)
    if name is None:
        return None
    baseline = load_baseline(name)
    cores = _CORES.search(text)
    if cores and count == 1 and baseline.spec.cores:
        count = max(1, -(-int(cores[1]) // baseline.spec.cores))
    return DeviceMatch(baseline, count)


def match_model(text: str) -> ModelMatch | None:
    """The shipped workload that ``text`` names; None if unknown."""
    bare = _LINEAR.sub("", text).strip()
    shipped_name = bare if bare in shipped.shipped_names("workloads") else None
    name = shipped_name or _find(bare, _model_labels(), _MODEL_SUFFIX)
    return None if name is None else ModelMatch(name, bool(_LINEAR.search(text)))


def match_framework(text: str) -> str | None:
    """The framework that ``text`` names, or that stands for the stack it names; None if unknown."""
    own = text.strip().lower()
    if own in FRAMEWORKS or own in STACKS:
        return framework_of(own).name
    return next((name for name, pattern in _FRAMEWORKS if re.search(pattern, text, re.IGNORECASE)), None)


def _find(text: str, labels: Mapping[str, str], suffix: re.Pattern[str]) -> str | None:
    """Name whose label is ``text``, or its longest beginning with only a known suffix after it; parentheses last."""
    for candidate in (text, text.replace("(", " ").replace(")", " "), _PARENTHESES.sub(" ", text)):
        squashed = _squash(candidate)
        beginnings = [label for label in labels if squashed.startswith(label) and suffix.fullmatch(squashed[len(label) :])]
        if beginnings:
            return labels[max(beginnings, key=len)]
    return None


def _squash(text: str) -> str:
    bare = _GIGABYTES.sub(r"\1gb", _VENDORS.sub(" ", text.rsplit("/", 1)[-1]))
    return re.sub(r"[^a-z0-9.+]", "", bare.lower())


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {_squash(label): name for label, name in pairs}


@cache
def _device_labels() -> dict[str, str]:
    specs = {name: load_baseline(name).spec for name in baseline_names()}
    return _index((label, name) for name, spec in specs.items() for label in (name, *spec.labels))


@cache
def _model_labels() -> dict[str, str]:
    specs = {name: load_workload(name) for name in shipped.shipped_names("workloads")}
    return _index((label, name) for name, spec in specs.items() for label in spec.labels)
