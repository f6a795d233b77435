"""``pimsim trace export HARDWARE WORKLOAD``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from pimsim.result.write import check_writable
from pimsim.verbs.options import Hardware, Prompt, Settings, Workload


class Format(StrEnum):
    """What is written."""

    CSV = "csv"
    PERFETTO = "perfetto"


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("export")
    def export_token(
        hardware: Hardware,
        workload: Workload,
        token: Annotated[int, typer.Option("--token", help="which generated token, from 1")],
        out: Annotated[str, typer.Option("--out", help="where to write")],
        layer: Annotated[int | None, typer.Option("--layer", help="only this layer, from 0")] = None,
        prompt: Prompt = None,
        form: Annotated[Format, typer.Option("--format", help="command stream, or Chrome trace JSON")] = Format.CSV,
        settings: Settings = None,
    ) -> None:
        """Write every timed command of one token: as a stream for ``trace audit``, or for the Perfetto UI."""
        # Imported here: the other verbs about traces start without the engine and the mapper.
        from pimsim.recording import record_token
        from pimsim.trace.export import check_layer, export_step
        from pimsim.trace.perfetto import write_perfetto
        from pimsim.trace.write import write_stream

        check_writable(out)
        record = record_token(hardware, workload, token, prompt, settings or ())
        check_layer(record.step.program, layer)
        if form is Format.CSV:
            parts = export_step(record.device, record.placement, record.step, layer)
            print(f"{out}: {write_stream(out, parts, record.device)} commands")
        else:
            slices = write_perfetto(out, record.device, record.placement, record.step, layer)
            print(f"{out}: {slices} slices; https://ui.perfetto.dev opens it")
