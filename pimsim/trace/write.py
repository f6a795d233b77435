"""Write command streams (CSV), whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pimsim.config.device import Device
from pimsim.engine.command_trace import CommandTrace, IntArray
from pimsim.result.write import text_output
from pimsim.trace.read import columns_of


def write_stream(path: str | Path, parts: Iterable[CommandTrace], device: Device) -> int:
    """Write consecutive parts of a stream to ``path``; number of commands. Fields of -1 are left empty."""
    names, count = device.standard.command_names, 0
    header = columns_of(device)
    with text_output(path) as file:
        file.write(",".join(header) + "\n")
        for part in parts:
            fields = {name: _texts(values) for name, values in _fields(part, device).items()}
            fields["command"] = [names[code] for code in part.command.tolist()]
            file.writelines(f"{','.join(row)}\n" for row in zip(*(fields[name] for name in header), strict=True))
            count += part.commands
    return count


def _fields(part: CommandTrace, device: Device) -> dict[str, IntArray]:
    """Columns of a part by name; the unit taken apart into its levels."""
    fields, unit = part._asdict(), part.unit
    for level, number in reversed(device.organization.outer):
        fields[level] = np.where(unit >= 0, unit % number, -1)
        unit = np.where(unit >= 0, unit // number, -1)
    return {name: fields[name] for name in columns_of(device)}


def _texts(values: IntArray) -> list[str]:
    return ["" if value == -1 else str(value) for value in values.tolist()]
