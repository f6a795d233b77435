"""Chimera: a small draft of one layer that sees the whole context, fed with the target's last hidden state; a tree is checked."""

from __future__ import annotations

from typing import ClassVar

from pimsim.decoding.residents import OneLayer, Resident
from pimsim.decoding.strategies.hidden_transfer import HiddenTransfer


class Chimera(HiddenTransfer):
    """One layer of full attention; its trigram look-up costs what an embedding does."""

    name: ClassVar[str] = "chimera"
    default_widths: ClassVar[tuple[int, ...]] = (4, 2, 2, 1)

    def residents(self) -> tuple[Resident, ...]:
        return (OneLayer(self.seed),)
