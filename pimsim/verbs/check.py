"""``pimsim check NAME...``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from pimsim.config.baseline import BaselineSpec, load_baseline
from pimsim.config.describe import Entry, TimingEntry, entries, shown_value, timing_entries
from pimsim.config.hardware import HardwareSpec
from pimsim.config.layers import read_layers
from pimsim.config.load import load_hardware, load_workload, split_overrides
from pimsim.config.schemas import kind_of
from pimsim.config.workload import WorkloadSpec
from pimsim.errors import ConfigError, PimsimError
from pimsim.explore.free import FREE
from pimsim.report.summary import quantity
from pimsim.verbs.options import Json, Quiet, Settings
from pimsim.verbs.output import Output

_COUNTED = (
    ("parameters", "parameters"),
    ("K and V elements a token", "kv_elements_per_token"),
    ("state elements", "state_elements"),
    ("MACs of matrices", "linear_macs"),
    ("MACs of attention", "attention_macs"),
    ("MACs of states", "state_space_macs"),
)


@dataclass(frozen=True)
class Checked:
    """A valid description: ``facts`` are what follows from it as a whole, by name; ``counts`` and ``ignored`` keys are a model's."""

    kind: str
    name: str
    where: str
    facts: dict[str, Any] = field(default_factory=dict)
    values: list[Entry] = field(default_factory=list)
    timing: list[TimingEntry] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    free: dict[str, str] = field(default_factory=dict)
    note: str = ""

    def document(self) -> dict[str, Any]:
        """Plain values for JSON; facts are keys of their own."""
        values = {
            one.path: {k: v for k, v in asdict(one).items() if k != "path"} | {"assumed": one.assumed} for one in self.values
        }
        head = {"schema_version": 1, "kind": self.kind, "name": self.name, "where": self.where}
        timing = {one.name: {k: v for k, v in asdict(one).items() if k != "name"} for one in self.timing}
        model = {**self.counts, "ignored_keys": self.ignored} if self.counts else {}
        return {**head, **self.facts, **model, "values": values, "timing": timing, "free": self.free, "note": self.note}


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("check")
    def check(
        names: Annotated[
            list[str],
            typer.Argument(metavar="NAME", help="hardware, workload, baseline device, sweep, or a model's folder: name or path"),
        ],
        context: Annotated[
            int, typer.Option("--context", metavar="N", min=1, help="positions that a model's counted token sees")
        ] = 1024,
        verbose: Annotated[bool, typer.Option("--verbose", "-v", help="also list a config.json's keys without effect")] = False,
        settings: Settings = None,
        json: Json = None,
        quiet: Quiet = False,
    ) -> None:
        """Validate descriptions and print them resolved, with derived cycles and sources."""
        output, problems, documents = Output(json, quiet), [], []
        for name in names:
            try:
                checked = checked_description(name, settings or [], context)
            except PimsimError as error:
                problems.append(str(error))
                continue
            print_checked(output.console, checked)
            print_counts(output, checked, verbose)
            documents.append(checked.document())
        if problems:
            raise ConfigError("\n".join(problems))
        output.document(documents[0] if len(documents) == 1 else documents)


def checked_description(name: str, settings: list[str], context: int = 1024) -> Checked:
    """Load ``name`` as what it is, with ``--set`` on top. Raises ConfigError for anything wrong in it."""
    kind = kind_of(name)
    hardware_settings, workload_settings = split_overrides(settings)
    if kind == "sweep":
        return _sweep(name)
    if kind == "baseline":
        baseline = load_baseline(name)
        values = entries(baseline.spec.model_dump(), baseline.sources, BaselineSpec)
        return Checked("baseline device", baseline.name, baseline.where, values=values)
    if kind == "workload":
        return _workload(name, workload_settings, context)
    device = load_hardware(name, hardware_settings)
    values = entries(device.spec.model_dump(exclude={"dram": {"timing"}}), device.sources, HardwareSpec)
    free = dict(FREE) if device.spec.pim is not None else {}
    facts = {"tCK_ps": device.timing.t_ck_ps}
    return Checked(
        "hardware", device.name, device.where, facts, values, timing_entries(device), free=free, note=device.spec.beyond_costs
    )


def _sweep(name: str) -> Checked:
    from pimsim.explore.plan import plan_sweep

    plan = plan_sweep(name)
    if plan.spec.strategy:
        return Checked("sweep", plan.spec.name, plan.where, {"trials": plan.spec.strategy.optuna.trials})
    points = plan.points()
    refused = [point.refused for point in points if point.refused is not None]
    return Checked("sweep", plan.spec.name, plan.where, {"points": len(points), "infeasible": len(refused)})


def _workload(name: str, settings: list[str], context: int) -> Checked:
    from pimsim.workload.model import DecoderModel
    from pimsim.workload.parameters import counts

    spec, layered = load_workload(name, settings), read_layers(name, "workloads", "workload")
    values = entries(_without_shared(spec.model_dump()), layered.sources, WorkloadSpec)
    counted = counts(DecoderModel(spec.model), context)
    facts = {"parameters": counted["parameters"]}
    return Checked("workload", spec.name, layered.where, facts, values, counts=counted, ignored=layered.ignored)


def _without_shared(values: dict[str, Any]) -> dict[str, Any]:
    """Values whose blocks hold only the parts that are not the model's own."""
    model = values["model"]
    blocks = {
        name: {part: value for part, value in block.items() if value != model.get(part)}
        for name, block in model.get("blocks", {}).items()
    }
    return {**values, "model": {**model, "blocks": blocks} if blocks else model}


def print_counts(output: Output, checked: Checked, verbose: bool) -> None:
    """A model's parameters, K and V, state and multiply-accumulates by part; with ``verbose`` its file's ignored keys."""
    if not checked.counts:
        return
    rows = {**checked.counts["parts"], "all": checked.counts}
    counted = [(title, key) for title, key in _COUNTED if any(found.get(key) for found in rows.values())]
    heads = (Column(title, justify="right", overflow="fold") for title, _ in counted)
    table = Table("", *heads, title=f"a token that sees {checked.counts['context']:,} positions", box=None, pad_edge=False)
    for part, found in rows.items():
        table.add_row(part, *(quantity(found[key], "") if found.get(key) else "" for _, key in counted))
    output.console.print(table, soft_wrap=False)
    if verbose:
        output.console.print(f"keys without effect: {', '.join(checked.ignored) or 'none'}")


def print_checked(console: Console, checked: Checked) -> None:
    """Sections of aligned values with their units; each source once, by number; assumed values marked."""
    facts = "".join(f", {value:,} {name}" for name, value in checked.facts.items() if name != "tCK_ps")
    console.print(f"[bold]{escape(checked.name)}[/bold] ({escape(checked.where)}): valid {checked.kind}{facts}")
    sources = _numbered([*(one.source for one in checked.values), *(one.source for one in checked.timing)])
    for section in dict.fromkeys(one.section for one in checked.values):
        table = _value_table()
        for one in checked.values:
            if one.section == section:
                mark, number = "*" if one.assumed else "", f"\\[{sources[one.source]}]" if one.source in sources else ""
                table.add_row(mark, one.key, escape(shown_value(one.value)), one.unit, number)
        _print_table(console, section, table)
    if checked.timing:
        _print_timing(console, checked, sources)
    console.print()
    for source, count in sources.items():
        line = Table.grid(Column(width=6, justify="right"), Column(overflow="fold"), padding=(0, 1, 0, 0))
        line.add_row(f"\\[{count}]", escape(source), style="dim")
        console.print(line)
    assumed = sum(one.assumed for one in checked.values) + sum(one.source.startswith("assumed") for one in checked.timing)
    if checked.free:
        console.print("Free in a sweep; every other value has a cost in area, energy, power or error:")
    for path, reason in checked.free.items():
        line = Table.grid(Column(overflow="fold"), padding=(0, 0, 0, 2))
        line.add_row(escape(f"{path}: {reason}"))
        console.print(line)
    if checked.note:
        console.print(f"Note: {escape(checked.note)}", highlight=False)
    if assumed:
        console.print(f"* {assumed} values are assumed: no source is at hand; their sources say why", style="dim")
    console.print()


def _value_table() -> Table:
    widths = (1, 27, 28, 12, 5)
    return Table.grid(*(Column(width=width, overflow="fold") for width in widths), padding=(0, 1, 0, 0))


def _print_table(console: Console, section: str, table: Table) -> None:
    if table.row_count:
        if section:
            console.print(f"\n[bold]{section}[/bold]")
        console.print(table)


def _print_timing(console: Console, checked: Checked, sources: dict[str, int]) -> None:
    console.print(f"\n[bold]dram.timing[/bold], tCK = {checked.facts['tCK_ps']} ps")
    right = [Column(name, justify="right", no_wrap=True) for name in ("CK", "ns")]
    table = Table(
        "", Column("parameter", no_wrap=True), *right, Column("resolved from", overflow="fold"), "", box=None, pad_edge=False
    )
    for one in checked.timing:
        number = f"\\[{sources[one.source]}]" if one.source in sources else ""
        table.add_row(
            "*" if one.source.startswith("assumed") else "", one.name, str(one.cycles), f"{one.ns:g}", one.origin, number
        )
    console.print(table)
    for one in checked.timing:
        if one.note:
            console.print(f"  note: {one.note}", style="yellow")


def _numbered(sources: list[str]) -> dict[str, int]:
    said = dict.fromkeys(source for source in sources if source and source != "default")
    return {source: number for number, source in enumerate(said, 1)}
