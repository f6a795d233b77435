"""Generation from a hub folder: tokens and logits of its float64 model, and what the device has to say about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pimsim.asic.numerics import EXACT
from pimsim.decoding.numbers import NumbersRun, decode
from pimsim.decoding.strategy import Strategy
from pimsim.errors import CapacityError, MappingError
from pimsim.functional.device_generation import DeviceGeneration, generate_on_device
from pimsim.hub.folder import HubFolder
from pimsim.oracle.arrays import Floats
from pimsim.oracle.greedy import Greedy, decode_greedily
from pimsim.oracle.load import load_decoder

SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False)
class HubGeneration:
    """``missing``: why there are no numbers of the device, in words that name the operation; None where there are."""

    folder: str
    weights: dict[str, object]
    prompt_ids: tuple[int, ...]
    encoder_ids: tuple[int, ...] | None
    float64: Greedy
    missing: str | None
    decoding: NumbersRun | None = None
    strategy: Strategy | None = None
    device: DeviceGeneration | None = None

    @property
    def token_ids(self) -> tuple[int, ...]:
        """The generated tokens: the strategy's where there is one, else the greedy ones."""
        return self.float64.tokens if self.decoding is None else tuple(self.decoding.tokens)

    def arrays(self) -> dict[str, Floats]:
        """What ``--logits`` writes: (positions, vocabulary) each, prompt and generated tokens fed."""
        found = {"float64": self.float64.logits}
        if self.device is not None and self.device.every_logits is not None:
            found["device"] = self.device.every_logits
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON file."""
        return {
            "schema_version": SCHEMA_VERSION,
            "model": self.folder,
            "weights": self.weights,
            "prompt_ids": list(self.prompt_ids),
            "encoder_ids": None if self.encoder_ids is None else list(self.encoder_ids),
            "token_ids": list(self.token_ids),
            "float64": {"margin": self.float64.margin, "logits_std": float(self.float64.logits.std())},
            "device": {"available": self.missing is None, "missing": self.missing, **self._device()},
            "decoding": self._decoding(),
        }

    def _device(self) -> dict[str, Any]:
        if self.device is None:
            return {}
        first = len(self.prompt_ids) - 1
        return self.device.to_dict(self.float64.logits[first : first + len(self.float64.tokens)])

    def _decoding(self) -> dict[str, Any] | None:
        if self.decoding is None or self.strategy is None:
            return None
        return {
            **self.strategy.model_dump(exclude_none=True),
            "lossless": self.strategy.lossless,
            "greedy_token_ids": list(self.float64.tokens),
            "equal_to_greedy": self.token_ids == self.float64.tokens,
            **self.decoding.to_dict(),
        }


def generate_from_folder(
    folder: str | Path, prompt_ids: Sequence[int], tokens: int, encoder_ids: Sequence[int] | None = None,
    weights: str | Path | None = None, strategy: Strategy | None = None, hardware: str | Path = "pim_gpt",
    settings: Sequence[str] = (), numerics: str = EXACT, every_logits: bool = False,
) -> HubGeneration:  # fmt: skip
    """Decode ``tokens`` tokens greedily with the weights beside ``config.json``, or those of another folder or file.

    With a ``strategy`` it drafts and verifies beside that; a draft model that it names must be a hub folder.

    The device runs the float64 model's tokens on PIM commands, with ``numerics`` exact or asic. ``every_logits``: also its logits after
    the prompt's tokens, which no program needs. A device that cannot run the model says why in ``missing``.
    Raises PimsimError for a folder, weights or tokens that are wrong.
    """
    path = Path(folder) if Path(folder).is_dir() else Path(folder).parent
    source = HubFolder(weights or path)
    decoder = load_decoder(folder, source)
    found = decode_greedily(decoder, prompt_ids, tokens, encoder_ids)
    encoder = None if encoder_ids is None else tuple(encoder_ids)
    run = None if strategy is None else decode(decoder, strategy, prompt_ids, tokens, encoder_ids, load_decoder)
    on_device, missing = None, None
    try:
        fed = (*prompt_ids, *found.tokens)
        on_device = generate_on_device(
            hardware, folder, source, fed, len(prompt_ids), encoder or (), settings, numerics, every_logits
        )  # fmt: skip
    except (MappingError, CapacityError) as error:
        missing = str(error)
    return HubGeneration(str(folder), source.describe(), tuple(prompt_ids), encoder, found, missing, run, strategy, on_device)
