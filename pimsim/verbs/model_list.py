"""``pimsim model list``."""

from __future__ import annotations

from typing import Any

import typer
from rich.table import Table

from pimsim.baselines.capacity import needed_bytes
from pimsim.config import shipped
from pimsim.config.baseline import baseline_names, load_baseline
from pimsim.config.load import load_hardware, load_workload
from pimsim.units import BYTES_PER_GB
from pimsim.verbs.options import Json
from pimsim.verbs.output import Output
from pimsim.workload.model import BYTES_PER_ELEMENT, DecoderModel, make_request
from pimsim.workload.parameters import counts

_WORD = BYTES_PER_ELEMENT


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("list")
    def list_models(json_file: Json = None) -> None:
        """List the shipped workloads with parameters, K and V bytes a token, and the shipped devices whose memory holds them."""
        output = Output(json_file)
        pim, others = _pim_capacities(), _baseline_capacities()
        rows = [_row(name, pim, others) for name in shipped.shipped_names("workloads")]
        rows.sort(key=lambda row: row["parameters"])
        table = Table(
            "workload",
            "parameters",
            "K and V\nB a token",
            "state\nB",
            "GB of weights\nand default request",
            "PIM devices",
            "baselines",
        )
        for row in rows:
            table.add_row(
                row["name"], f"{row['parameters']:,}", f"{row['kv_bytes_per_token']:,}", f"{row['state_bytes']:,}" if row["state_bytes"] else "",
                f"{row['needed_gb']:.2f}", ", ".join(row["held_by_pim"]) or "none", _shown(row["held_by_baselines"], others),
            )  # fmt: skip
        output.wide.print(table)
        output.document(rows)


def _pim_capacities() -> dict[str, float]:
    """Bytes of memory of each shipped device with MAC units."""
    devices = {name: load_hardware(name) for name in shipped.shipped_names("hw_configs")}
    return {name: float(device.organization.capacity_bytes) for name, device in devices.items() if device.spec.pim is not None}


def _baseline_capacities() -> dict[str, float]:
    """Bytes of memory of each shipped baseline device, smallest first."""
    found = {name: load_baseline(name).spec.memory.capacity_gb * BYTES_PER_GB for name in baseline_names()}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _shown(held_by: list[str], all_of: dict[str, float]) -> str:
    if not held_by:
        return "none"
    return f"{len(held_by)} of {len(all_of)}, from {held_by[0]} ({all_of[held_by[0]] / BYTES_PER_GB:g} GB)"


def _row(name: str, pim: dict[str, float], others: dict[str, float]) -> dict[str, Any]:
    spec = load_workload(name)
    model = DecoderModel(spec.model)
    counted = counts(model, 1)
    request = make_request(spec)
    needed = needed_bytes(model, request, _WORD, _WORD)
    return {
        "name": name,
        "description": spec.description,
        "parameters": counted["parameters"],
        "kv_bytes_per_token": counted["kv_elements_per_token"] * _WORD,
        "state_bytes": counted["state_elements"] * _WORD,
        "needed_gb": needed / BYTES_PER_GB,
        "held_by_pim": [device for device, capacity in pim.items() if needed <= capacity],
        "held_by_baselines": [device for device, capacity in others.items() if needed <= capacity],
    }
