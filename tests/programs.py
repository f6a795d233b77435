"""Random step programs for random PIM devices: every command, all refresh modes, any order of PIM, ASIC and link work."""

from __future__ import annotations

import random
from functools import cache

from pimsim.asic.work import Stage
from pimsim.config.device import Device
from pimsim.config.load import load_hardware
from pimsim.dram.commands import BANK, CHANNEL, SCOPES
from pimsim.program.block import Block, BlockBuilder
from pimsim.program.instruction import ASIC, LINK, PIM, SECTION_INPUT, Instruction, Section, StepProgram
from pimsim.workload.ops import Op
from pimsim.workload.step import decoding_step
from tests.strategies import with_cycles

_REFRESH_OWN = ("nREFI", "nRFCab", "nRFCpb", "nRREFD")


@cache
def _shaped(hardware: str, channels: int, grouped_by: int, obey_tfaw: bool, t_ck_ns: float, settings: tuple[str, ...]) -> Device:
    shape = (f"dram.channels={channels}", "dram.bank_groups=2", "dram.banks_per_group=2")
    activation = (
        f"pim.all_bank_activation.grouped_by={grouped_by}",
        f"pim.all_bank_activation.obey_tFAW={str(obey_tfaw).lower()}",
    )
    return load_hardware(hardware, (*shape, *activation, f"dram.timing.tCK_ns={t_ck_ns}", *settings))


def random_device(rng: random.Random) -> Device:
    """A small PIM device of 4 banks a channel, with or without mode switches: timing, refresh, activation, issue, clocks drawn anew."""
    mode, postponed = rng.choice(("none", "all_bank", "per_bank")), rng.choice((0, 1, 2, 8))
    grouped_by = rng.choice((2, 4))
    settings = (
        f"dram.refresh.mode={mode}",
        f"dram.refresh.max_postponed={postponed}",
        f"controller.issue={rng.choice(('serial', 'overlap'))}",
        f"asic.clock_ghz={rng.choice((1.0, 0.7))}",
    )
    hardware = rng.choice(("pim_gpt", "pim_gpt", "gddr6_aim"))
    device = _shaped(hardware, rng.randint(1, 4), grouped_by, rng.random() < 0.5, rng.choice((1.0, 0.57)), settings)
    cycles = {name: rng.choice((1, 2, 3, 5, 9, 17, 31)) for name in device.timing.cycles if name not in _REFRESH_OWN}
    own = {"nRFCab": rng.randint(20, 60), "nRFCpb": rng.randint(5, 30), "nRREFD": rng.randint(1, 9)}
    return with_cycles(device, {**cycles, **own, "nREFI": rng.choice((1300, 1700, 5000))})


def random_block(device: Device, rng: random.Random) -> Block:
    """Bursts that move data and leave every bank closed: parts with all banks open, with single banks open, and with none."""
    builder = BlockBuilder(device)
    for _ in range(rng.randint(1, 3)):
        part = rng.choice((_all_banks, _all_banks, _single_banks, _closed))
        seed, times = rng.randrange(1 << 30), rng.choice((1, 1, 2, 12))
        for _ in range(times):
            part(builder, random.Random(seed))
    builder.add("RD_MAC")
    return builder.finish()


def _working(device: Device, rows: tuple[str, ...], scopes: tuple[str, ...]) -> list[str]:
    """Commands by what they do to rows and whom they address."""
    kinds = device.standard.commands
    return [c.name for c in kinds if c.row in rows and c.scope in scopes and c.name != device.standard.mode_switch]


def _add(builder: BlockBuilder, name: str, bank: int, times: int) -> None:
    builder.add(name, bank if builder.device.standard.command(name).scope == BANK else -1, times, 0, 0)


def _all_banks(builder: BlockBuilder, rng: random.Random) -> None:
    builder.activate_all(0)
    names = ["MAC_AB", "MAC_AB", *_working(builder.device, ("column", "none"), SCOPES)]
    for _ in range(rng.randint(0, 4)):
        _add(builder, rng.choice(names), rng.randrange(builder.device.organization.banks), rng.choice((1, 2, 3, 20)))
    builder.add(rng.choice(["PREab", *_working(builder.device, ("column_close",), (CHANNEL,))]), row=0, column=0)


def _single_banks(builder: BlockBuilder, rng: random.Random) -> None:
    keeping = _working(builder.device, ("column",), (BANK,))
    closing = _working(builder.device, ("column_close", "close"), (BANK,))
    opened: set[int] = set()
    for _ in range(rng.randint(1, 8)):
        bank = rng.randrange(builder.device.organization.banks)
        if bank not in opened:
            builder.add("ACT", bank, row=0)
            opened.add(bank)
        elif rng.random() < 0.2:
            builder.add("RD_MAC")
        elif rng.random() < 0.5:
            _add(builder, rng.choice(keeping), bank, rng.choice((1, 2, 9)))
        else:
            builder.add(rng.choice(closing), bank, row=0, column=0)
            opened.remove(bank)
    if opened or rng.random() < 0.5:
        builder.add("PREab")


def _closed(builder: BlockBuilder, rng: random.Random) -> None:
    name = rng.choice(("WR_GB", "WR_BIAS", "RD_MAC", "REFab", "REFpb"))
    bank = rng.randrange(builder.device.organization.banks) if name == "REFpb" else -1
    builder.add(name, bank, rng.choice((1, 2, 5)) if name in ("WR_GB", "RD_MAC") else 1)


def random_programs(device: Device, rng: random.Random) -> list[StepProgram]:
    """A few steps over a small pool of blocks, so that blocks repeat within and across steps."""
    pool = [random_block(device, rng) for _ in range(3)]

    def instructions(length: int) -> tuple[Instruction, ...]:
        return tuple(_instruction(device, rng, pool, position) for position in range(length))

    def sections(bodies: list[tuple[Instruction, ...]]) -> tuple[Section, ...]:
        """Two kinds of layer in any order between what runs once."""
        before, *kinds, after = bodies
        layers = iter(range(20))
        inside = [
            Section(rng.choice(kinds), tuple(next(layers) for _ in range(rng.randint(1, 3)))) for _ in range(rng.randint(1, 4))
        ]
        return (Section(before), *inside, Section(after))

    first = [
        instructions(rng.randint(1, 2)),
        *(instructions(rng.randint(1, 5)) for _ in range(2)),
        instructions(rng.randint(0, 2)),
    ]
    programs = [StepProgram(decoding_step(0), sections(first))]
    for step in range(rng.randint(0, 2)):
        bodies = first if rng.random() < 0.5 else [instructions(rng.randint(0 if k == 3 else 1, 4)) for k in range(4)]
        programs.append(StepProgram(decoding_step(step + 1), sections(bodies)))
    return programs


def _instruction(device: Device, rng: random.Random, pool: list[Block], position: int) -> Instruction:
    needs = tuple({rng.choice((SECTION_INPUT, *range(position))) for _ in range(rng.randint(1, 2))})
    kind = rng.choice((PIM, PIM, ASIC, LINK)) if position else PIM
    op = Op(rng.choice(("a", "b", "c", "d")), kind, ())
    if kind == PIM:
        shared = rng.choice(pool)
        others = [shared if rng.random() < 0.6 else rng.choice((*pool, None)) for _ in range(1, device.organization.channels)]
        return Instruction(op, PIM, "x", needs, blocks=(shared if position == 0 else rng.choice((shared, None)), *others))
    if kind == ASIC:
        stages = tuple(Stage(rng.randint(0, 90000), rng.randint(0, 9000), rng.randint(0, 3)) for _ in range(2))
        return Instruction(op, ASIC, "x", needs, stages=stages)
    return Instruction(op, LINK, "x", needs, link_bytes=rng.randint(1, 4000))
