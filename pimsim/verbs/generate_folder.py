"""``pimsim generate`` with a folder as a model hub keeps it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pimsim.decoding.load import load_strategy
from pimsim.errors import RequestError
from pimsim.functional.hub_generation import HubGeneration, generate_from_folder
from pimsim.result.write import check_writable, write_bytes
from pimsim.verbs.output import Output

DEFAULT_TOKENS = 16
DEFAULT_PROMPT = 8


def is_hub(workload: str) -> bool:
    """Whether a workload is a hub folder or the ``config.json`` of one."""
    path = Path(workload)
    return path.is_dir() or path.suffix == ".json"


def token_ids(option: str, text: str) -> list[int]:
    """Ids as 1,2,3. Raises RequestError for anything else."""
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if not (part.isascii() and part.isdigit() and len(part) < 10):
            raise RequestError(f"{option} '{text[:80]}': '{part[:20]}' is not a token id; must be whole numbers, as in 1,2,3")
    return [int(part) for part in parts]


def run_folder(
    folder: str, weights: str | None, prompt: list[int] | None, encoder: list[int] | None, tokens: int | None, seed: int,
    output: Output, logits: str | None, decoding: str | None, on: tuple[str, Sequence[str], str],
) -> None:  # fmt: skip
    """Generate and print; the logits go to ``logits``, a strategy comes from ``decoding``.

    ``on``: hardware, its settings, and the ASIC's numerics.
    """
    check_writable(logits)
    strategy = None if decoding is None else load_strategy(decoding)
    if prompt is None:
        prompt = np.random.default_rng(seed).integers(0, 100, DEFAULT_PROMPT).tolist()
    hardware, settings, numerics = on
    found = generate_from_folder(
        folder, prompt, DEFAULT_TOKENS if tokens is None else tokens, encoder, weights, strategy,
        hardware=hardware, settings=settings, numerics=numerics, every_logits=logits is not None,
    )  # fmt: skip
    if logits is not None:
        stream = io.BytesIO()
        np.savez(stream, **found.arrays())  # type: ignore[arg-type]
        write_bytes(logits, stream.getvalue())
    output.document(found.to_dict())
    output.console.print("\n".join(_lines(found)), markup=False)


def _lines(found: HubGeneration) -> list[str]:
    lines = [
        f"{found.folder}, weights {found.weights['file']} (sha256 {found.weights['sha256']})",
        f"prompt_ids {','.join(map(str, found.prompt_ids))}",
    ]
    if found.encoder_ids is not None:
        lines.append(f"encoder_ids {','.join(map(str, found.encoder_ids))}")
    lines.append(f"token_ids {','.join(map(str, found.token_ids))}")
    lines.append(f"float64 model: smallest margin of a choice {found.float64.margin:.4g}")
    if found.decoding is not None and found.strategy is not None:
        same = "the greedy tokens" if found.token_ids == found.float64.tokens else "other tokens than greedy decoding"
        kept = f"{found.decoding.tokens_per_step:.3g} tokens a step over {len(found.decoding.rounds)} steps"
        lines.append(f"decoding {found.strategy.name}: {kept}, {same}")
    if found.missing is not None:
        lines.append(f"device: not available: {found.missing}")
    return lines + _device_lines(found)


def _device_lines(found: HubGeneration) -> list[str]:
    if found.device is None:
        return []
    facts, result = found.to_dict()["device"], found.device.result
    return [
        f"on {result.hardware}, numerics {facts['numerics']}: token_ids {','.join(map(str, facts['token_ids']))}",
        f"  agreement {facts['token_agreement']:.2%}, {facts['disagreements_beyond_error']} others where the margin exceeds the error; "
        f"logits error max {facts['logits_max_error_over_std']:.3g} of their spread",
        f"  {result.dram_cycles} DRAM cycles, latency_s {result.latency_s:.9g}, energy_j {result.energy_j['nominal']:.4g}; commands "
        f"{'equal to' if facts['commands_equal_timed'] else 'DIFFERENT from'} the timed run's",
    ]
