"""A hub's ``config.json``: values that remember which key said them, and what is left unread."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pimsim.errors import ConfigError, nearest

CONFIG_NAME = "config.json"
_MAX_BYTES = 4_000_000

# Keys that say nothing about what one pass of the model computes: training, sampling, tokens, formats, libraries.
_HARMLESS = re.compile(
    r"(_?name_or_path|architectures|auto_map|torch_dtype|dtype|transformers_version|transformers\.js_config|model_type|"
    r".*dropout.*|.*pdrop|.*drop_rate|.*layerdrop|.*_token_id|.*_token_ids|.*token_index|initializer_.*|init_std|init_device|init_config|use_cache|"
    r"id2label|label2id|problem_type|finetuning_task|task_specific_params|tokenizer_class|prefix|summary_.*|classifier_.*|"
    r"output_(?!projection).*|return_dict.*|torchscript|use_bfloat16|tf_legacy_loss|pruned_heads|chunk_size_feed_forward|gradient_checkpointing|"
    r"max_length|min_length|do_sample|early_stopping|num_beams|num_beam_groups|diversity_penalty|temperature|top_k|top_p|typical_p|"
    r"repetition_penalty|length_penalty|no_repeat_ngram_size|encoder_no_repeat_ngram_size|bad_words_ids|num_return_sequences|"
    r"remove_invalid_values|exponential_decay_length_penalty|suppress_tokens|begin_suppress_tokens|cross_attention_hidden_size|"
    r"tie_encoder_decoder|forced_.*|.*aux_loss_.*|.*_loss_coef|.*_loss_alpha|z_loss_coefficient|router_jitter_noise|jitter_noise|"
    r"quantization_config|attn_implementation|_attn_implementation.*|use_flash_attn.*|use_flash_attention|flash_attn|flash_rotary|"
    r"fused_dense|attn_pdrop|cache_implementation|cache_config|pretraining_tp|slow_but_exact|num_logits_to_keep|"
    r"n_special|predict_special_tokens|output_past|use_mamba_kernels|use_mambapy|use_associative_scan|mamba_chunk_size|chunk_size|"
    r"time_step_min|time_step_max|time_step_floor|time_step_init_scheme|time_step_scale|time_step_rank_.*|rescale_.*|residual_in_fp32|"
    r"attention_softmax_in_fp32|scale_attention_softmax_in_fp32|reorder_and_upcast_attn|attn_uses_sequence_id|runner_max_sequence_length|"
    r"is_llama_config|is_decoder|is_encoder_decoder|fused_add_norm|pad_vocab_size_multiple|low_cpu_mem_usage|verbose|"
    r"num_nextn_predict_layers|seq_aux|ep_size|unsloth_.*|max_shard_size|return_.*|pad_token|neftune.*|language|languages|license|"
    r"inference_params|gradient_.*|use_parallel_embedding|vocab_size_multiple|add_bos_token|add_eos_token|special_tokens.*)$"
)  # fmt: skip
_MISSING = object()


class Number(float):
    """A number that a key said."""

    source: str


class Whole(int):
    """A whole number that a key said."""

    source: str


class Text(str):
    """A text that a key said."""

    source: str


class Flag:
    """True or false as a key said it."""

    def __init__(self, value: bool, source: str) -> None:
        self.value, self.source = value, source

    def __bool__(self) -> bool:
        return self.value


class HubConfig:
    """The values of one ``config.json`` (or of a group in it), each asked for by every spelling that it has."""

    def __init__(self, values: dict[str, Any], where: str, prefix: str = "") -> None:
        self.values, self.where, self.prefix = values, where, prefix
        self.read: set[str] = set()
        self.groups: dict[str, HubConfig] = {}

    def raw(self, *keys: str, default: Any = None) -> Any:
        """The first value given under any of ``keys``, as it stands; null counts as not given."""
        self.read.update(keys)
        return next((self.values[key] for key in keys if self.values.get(key) is not None), default)

    def has(self, key: str) -> bool:
        """Whether ``key`` is in the file, null or not."""
        return key in self.values

    def whole(self, *keys: str, default: Any = _MISSING, least: int = 1) -> Any:
        """A whole number of at least ``least``; ``default`` if no key gives one. Raises ConfigError."""
        found = self._checked(keys, default, lambda v: isinstance(v, int) and not isinstance(v, bool), "a whole number")
        if not isinstance(found, _Said):
            return found
        if found.value < least:
            raise ConfigError(f"{self.where}: {found.key}: {found.value} must be at least {least}")
        said = Whole(found.value)
        said.source = found.source
        return said

    def number(self, *keys: str, default: Any = _MISSING) -> Any:
        """A number; ``default`` if no key gives one. Raises ConfigError."""
        found = self._checked(keys, default, lambda v: isinstance(v, int | float) and not isinstance(v, bool), "a number")
        if not isinstance(found, _Said):
            return found
        said = Number(found.value)
        said.source = found.source
        return said

    def flag(self, *keys: str, default: Any = _MISSING) -> Any:
        """True or false; ``default`` if no key says. Raises ConfigError."""
        found = self._checked(keys, default, lambda v: isinstance(v, bool), "true or false")
        return Flag(found.value, found.source) if isinstance(found, _Said) else found

    def text(self, *keys: str, default: Any = _MISSING) -> Any:
        """A text; ``default`` if no key gives one. Raises ConfigError."""
        found = self._checked(keys, default, lambda v: isinstance(v, str), "a text")
        if not isinstance(found, _Said):
            return found
        said = Text(found.value)
        said.source = found.source
        return said

    def numbers(self, *keys: str, default: Any = _MISSING) -> Any:
        """A list of numbers; ``default`` if no key gives one. Raises ConfigError."""
        found = self._checked(keys, default, _are_numbers, "a list of numbers")
        return found.value if isinstance(found, _Said) else found

    def texts(self, *keys: str, default: Any = _MISSING) -> Any:
        """A list of texts; ``default`` if no key gives one. Raises ConfigError."""
        found = self._checked(
            keys, default, lambda v: isinstance(v, list) and all(isinstance(i, str) for i in v), "a list of texts"
        )
        return found.value if isinstance(found, _Said) else found

    def group(self, *keys: str) -> HubConfig | None:
        """The mapping under one of ``keys`` as a config of its own. Raises ConfigError if it is something else."""
        found = self.raw(*keys)
        if found is None:
            return None
        key = next(key for key in keys if self.values.get(key) is not None)
        if not isinstance(found, dict):
            raise self.wrong(key, "must be a mapping of keys to values")
        return self.groups.setdefault(key, HubConfig(found, self.where, f"{self.prefix}{key}."))

    def ignore(self, *keys: str) -> None:
        """Keys that have no effect in this architecture."""
        self.read.update(keys)

    def refuse(self, key: str, allowed: Any, default: Any = None) -> None:
        """Raise ConfigError if ``key`` has another value than ``allowed`` (or than not being given)."""
        value = self.raw(key, default=default)
        if value is not None and value != allowed:
            raise self.wrong(key, f"is not modelled; allowed: {json.dumps(allowed)}")

    def wrong(self, key: str, text: str) -> ConfigError:
        """An error about the value of ``key``."""
        return ConfigError(f"{self.where}: {self.prefix}{key}: {_shown(self.values.get(key))} {text}")

    def unread(self) -> tuple[list[str], list[str]]:
        """Keys that nothing asked for: those that may change the computation, and those that do not."""
        unknown: list[str] = []
        harmless: list[str] = []
        for key, value in self.values.items():
            if key in self.read:
                continue
            kind = harmless if value is None or _HARMLESS.match(key) else unknown
            kind.append(f"{self.prefix}{key}")
        for group in self.groups.values():
            for mine, theirs in zip((unknown, harmless), group.unread(), strict=True):
                mine += theirs
        return unknown, harmless

    def check_all_read(self, family: str) -> list[str]:
        """Keys that were ignored. Raises ConfigError naming keys that are not understood."""
        unknown, harmless = self.unread()
        if unknown:
            known = sorted(self.read.union(*(group.read for group in self.groups.values())))
            hint = nearest(unknown[0].rpartition(".")[2], known) if len(unknown) == 1 else ""
            raise ConfigError(
                f"{self.where}: not understood for model_type '{family}', and may change what is computed: {', '.join(unknown)}{hint}"
            )
        return harmless

    def _checked(self, keys: tuple[str, ...], default: Any, right: Any, what: str) -> Any:
        value = self.raw(*keys)
        if value is None:
            if default is _MISSING:
                others = f" (or {', '.join(keys[1:])})" if len(keys) > 1 else ""
                raise ConfigError(f"{self.where}: '{self.prefix}{keys[0]}'{others} is missing")
            return default
        key = next(key for key in keys if self.values.get(key) is not None)
        if not right(value):
            raise self.wrong(key, f"must be {what}")
        return _Said(value, f"{CONFIG_NAME}: {self.prefix}{key}", f"{self.prefix}{key}")


class _Said:
    def __init__(self, value: Any, source: str, key: str) -> None:
        self.value, self.source, self.key = value, source, key


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def find_config(name_or_path: str | Path) -> Path | None:
    """The hub configuration that a path names: a ``.json`` file, or the ``config.json`` of a folder; None for anything else.

    Raises ConfigError for a folder without one.
    """
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        if not (path / CONFIG_NAME).is_file():
            raise ConfigError(f"{path}: the folder has no {CONFIG_NAME}")
        return path / CONFIG_NAME
    return path if path.suffix == ".json" else None


def read_config(path: Path) -> HubConfig:
    """Read a hub configuration. Raises ConfigError with file and line."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: larger than {_MAX_BYTES} bytes; not a model configuration")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not a text file (UTF-8)") from None
    try:
        values = json.loads(text, object_pairs_hook=_no_doubles)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: line {error.lineno}: not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: must be a mapping of keys to values, found {type(values).__name__}")
    return HubConfig(values, str(path))


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key '{key}' is given twice")
        found[key] = value
    return found
