"""``pimsim explain HARDWARE WORKLOAD``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from pimsim.config.load import content_hash
from pimsim.explain import Answer, ExplainedInstruction, elasticity, explain_step
from pimsim.recording import record_token
from pimsim.report.summary import quantity
from pimsim.trace.export import check_layer
from pimsim.verbs.options import Hardware, Json, Prompt, Quiet, Settings, Workload
from pimsim.verbs.output import Output


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("explain")
    def explain(
        hardware: Hardware,
        workload: Workload,
        token: Annotated[int, typer.Option("--token", help="which generated token, from 1")],
        layer: Annotated[int, typer.Option("--layer", help="layer to print, from 0; the file has all")] = 0,
        prompt: Prompt = None,
        settings: Settings = None,
        json: Json = None,
        quiet: Quiet = False,
    ) -> None:
        """For one token: every instruction with what bound it and what would bind next; answers to the main parameters."""
        output = Output(json, quiet)
        record = record_token(hardware, workload, token, prompt, settings or ())
        check_layer(record.step.program, layer)
        instructions = explain_step(record.device, record.placement, record.step)
        answers = elasticity(record.device, record.workload, record.step.program.context)
        latency = max(one.end_s for one in instructions if one.critical)
        output.document(
            {
                "hardware": record.device.name,
                "workload": record.workload.name,
                "config_hash": content_hash(record.device.spec, record.workload),
                "token": token,
                "context": record.step.program.context,
                "latency_s": latency,
                "instructions": [{**asdict(one), "duration_s": one.duration_s} for one in instructions],
                "elasticity": [asdict(answer) for answer in answers],
            }
        )
        console = output.wide
        console.print(
            f"[bold]{record.workload.name}[/bold] on [bold]{record.device.name}[/bold], token {token} "
            f"(context {record.step.program.context}): {quantity(latency, 's')}; instructions outside the layers and of layer {layer}"
        )
        console.print(_instructions([one for one in instructions if one.layer in (-1, layer)]))
        console.print("The token alone, simulated again with one parameter changed:")
        console.print(_answers(answers))


def _instructions(explained: list[ExplainedInstruction]) -> Table:
    names = (Column(name, no_wrap=True) for name in ("op", "part"))
    times = (Column(name, justify="right", no_wrap=True) for name in ("start", "end", "duration"))
    table = Table("", *names, *times, "bound by", Column("share", justify="right"), "next limit", box=SIMPLE_HEAD, pad_edge=False)
    for one in explained:
        op = one.op if one.layer < 0 else f"h{one.layer}.{one.op}"
        shown = (quantity(time, "s") for time in (one.start_s, one.end_s, one.duration_s))
        share = f"{one.bound_s / one.duration_s:.0%}" if one.duration_s else ""
        table.add_row("*" if one.critical else "", op, f"{one.kind} {one.role}", *shown, one.bound_by, share, one.next_limit)
    table.caption = "* on the critical path"
    return table


def _answers(answers: list[Answer]) -> Table:
    names = ("parameter", "change", "from", "to", "latency", "energy", "elasticity")
    table = Table(*(Column(name, justify="right" if k > 1 else "left", no_wrap=True) for k, name in enumerate(names)), "note")
    table.box, table.pad_edge = SIMPLE_HEAD, False
    for answer in answers:
        cells = [f"{answer.before:g} {answer.unit}", "", "", "", ""]
        if answer.after is not None:
            cells[1] = f"{answer.after:g} {answer.unit}"
            cells[2:] = [f"{answer.latency_change:+.2%}", f"{answer.energy_change:+.2%}", f"{answer.latency_elasticity:+.3f}"]
        table.add_row(answer.parameter, answer.change, *cells, answer.note)
    return table
