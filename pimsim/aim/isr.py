"""The instructions of an AiM trace: their fields, what they ask of a channel, and the DRAM command they end in."""

from __future__ import annotations

from dataclasses import dataclass

from pimsim.engine.aim_state import KIND_ALL, KIND_BANK, KIND_NONE, KIND_READ, KIND_REGISTER, KIND_RESULT, KIND_SYNC, KIND_WRITE

OPSIZE, GPR0, GPR1, MASK, CHANNEL, BANK, ROW, CFR, DATA = (
    "opsize",
    "GPR0",
    "GPR1",
    "mask",
    "channel",
    "bank",
    "row",
    "CFR",
    "data",
)


@dataclass(frozen=True)
class Isr:
    """One instruction: ``fields`` in order, ``kind`` of its requests, ``command`` each of them ends in.

    ``one_channel``: the mask must name a single channel.
    """

    name: str
    fields: tuple[str, ...]
    kind: int = KIND_NONE
    command: str = ""
    one_channel: bool = False


_AIM = (
    Isr("WR_SBK", (GPR0, MASK, BANK, ROW), KIND_WRITE, "WR"),
    Isr("RD_SBK", (GPR0, MASK, BANK, ROW), KIND_READ, "RD"),
    Isr("WR_GB", (OPSIZE, GPR0, MASK), KIND_REGISTER, "WR_GB"),
    Isr("WR_BIAS", (GPR0, MASK), KIND_REGISTER, "WR_BIAS"),
    Isr("RD_MAC", (GPR0, MASK), KIND_RESULT, "RD_MAC"),
    Isr("RD_AF", (GPR0, MASK), KIND_RESULT, "RD_AF"),
    Isr("COPY_BKGB", (OPSIZE, MASK, BANK, ROW), KIND_BANK, "RD_CP"),
    Isr("COPY_GBBK", (OPSIZE, MASK, BANK, ROW), KIND_BANK, "WR_CP"),
    Isr("MAC_SBK", (OPSIZE, MASK, BANK, ROW), KIND_BANK, "MAC_SB"),
    Isr("MAC_ABK", (OPSIZE, MASK, ROW), KIND_ALL, "MAC_AB"),
    Isr("AF", (MASK,), KIND_ALL, "AF_AB"),
    Isr("EWMUL", (OPSIZE, MASK, ROW), KIND_ALL, "EWMUL_AB"),
    Isr("WR_ABK", (GPR0, MASK, ROW), KIND_ALL, "WRA_AB", one_channel=True),
    Isr("EWADD", (OPSIZE, GPR0, GPR1)),
    Isr("SYNC", (), KIND_SYNC),
    Isr("EOC", (), KIND_SYNC),
)
_HOST = (
    Isr("W MEM", (CHANNEL, BANK, ROW), KIND_WRITE, "WR"),
    Isr("R MEM", (CHANNEL, BANK, ROW), KIND_READ, "RD"),
    Isr("W GPR", (GPR0,)),
    Isr("R GPR", (GPR0,)),
    Isr("W CFR", (CFR, DATA)),
    Isr("R CFR", (CFR, DATA)),
)

AIM_ISRS = {isr.name: isr for isr in _AIM}
HOST_ISRS = {isr.name: isr for isr in _HOST}
UNSUPPORTED = "WR_AFLUT"
PREFIX = "ISR_"
END = "EOC"

CFR_COUNT = 3
CFR_ACTIVATION_FUNCTION = 2
# Row that holds the look-up table of activation function 0; function n has the n-th row after it.
ACTIVATION_FUNCTION_ROW = 1 << 29
