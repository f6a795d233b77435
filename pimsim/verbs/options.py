"""Arguments and options that verbs share: one word means one thing in all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from pimsim.config import shipped
from pimsim.errors import ConfigError, nearest

OLD_GOES = "0.3"


def names_in(*folders: str) -> Callable[[str], list[str]]:
    """Completion by the shipped names of some folders."""

    def complete(incomplete: str) -> list[str]:
        return [name for folder in folders for name in shipped.shipped_names(folder) if name.startswith(incomplete)]

    return complete


_WORKLOADS, _HARDWARE, _BASELINES = "workloads", "hw_configs", "hw_configs/baselines"

Hardware = Annotated[
    str, typer.Argument(metavar="HARDWARE", help="shipped name or path", autocompletion=names_in(_HARDWARE), show_default=False)
]
Workload = Annotated[
    str,
    typer.Argument(
        metavar="WORKLOAD",
        help="shipped name, YAML file, or a model's config.json or folder",
        autocompletion=names_in(_WORKLOADS),
        show_default=False,
    ),
]
HardwareAndWorkloads = Annotated[
    list[str],
    typer.Argument(
        metavar="HARDWARE... WORKLOAD",
        help="shipped names or paths; which are hardware and which workloads is seen by what they hold",
        autocompletion=names_in(_HARDWARE, _WORKLOADS),
    ),
]
Baselines = Annotated[
    list[str] | None,
    typer.Option(
        "--baseline", metavar="NAME", help="baseline device, shipped name or path; may be repeated",
        autocompletion=names_in(_BASELINES),
    ),
]  # fmt: skip
HardwareOption = Annotated[str, typer.Option("--hardware", help="shipped name or path", autocompletion=names_in(_HARDWARE))]
Tokens = Annotated[int | None, typer.Option("--tokens", metavar="N", help="tokens to generate (default: the workload's own)")]
Prompt = Annotated[int | None, typer.Option("--prompt", metavar="N", help="tokens in the prompt (default: the workload's own)")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="as asic.clock_ghz=0.5; may be repeated")]
Json = Annotated[str | None, typer.Option("--json", metavar="FILE", help="also write everything as JSON; - prints that instead")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")]
Processes = Annotated[int | None, typer.Option("--processes", metavar="N", min=1, max=64, help="default: one a core, at most 4")]


def old_spelling(old: str, new: str) -> None:
    """Say that ``old`` still works, and what to write instead."""
    print(f"hint: '{old}' is now '{new}'; the old spelling works until {OLD_GOES}", file=sys.stderr)


def listed(names: Iterable[str]) -> tuple[str, ...]:
    """Names given one by one or separated by commas."""
    return tuple(name.strip() for given in names for name in given.split(",") if name.strip())


def hardware_and_workloads(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sort names and paths by what they are; the first is hardware. Raises ConfigError for a name that is neither."""
    from pimsim.config.schemas import kind_of

    first, *rest = listed(names) or ("",)
    hardware: list[str] = [first]
    workloads: list[str] = []
    for name in rest:
        path = Path(name)
        kind = "workload" if path.is_dir() or path.suffix == ".json" else kind_of(name)
        if kind not in ("hardware", "workload"):
            raise ConfigError(f"{name} is a {kind}, neither hardware nor a workload")
        known = [*shipped.shipped_names(_HARDWARE), *shipped.shipped_names(_WORKLOADS)]
        if kind == "hardware" and name not in known and "/" not in name and not name.endswith((".yaml", ".yml")):
            raise ConfigError(f"unknown workload or hardware '{name}'{nearest(name, known)}; or give a path to a YAML file")
        (workloads if kind == "workload" else hardware).append(name)
    return tuple(hardware), tuple(workloads)


def device_and_workload(verb: str, names: Sequence[str], old_device: str | None, old_workload: str | None) -> tuple[str, str]:
    """The two names of a verb of ``baselines``, positional or in the old spelling."""
    if not names and old_device is not None and old_workload is not None:
        old_spelling("--device D --workload W", f"baselines {verb} D W")
        return old_device, old_workload
    if len(names) != 2 or old_device is not None or old_workload is not None:
        raise ConfigError(f"baselines {verb} takes DEVICE and WORKLOAD; given: {' '.join(names) or 'nothing'}")
    return names[0], names[1]
