"""``pimsim run HARDWARE WORKLOAD``."""

from __future__ import annotations

from typing import Annotated

import typer

from pimsim.decoding_run.simulate import simulate_decoding
from pimsim.engine.kernels_first import watch_compilation
from pimsim.engine.kernels_start import quick_start
from pimsim.errors import ConfigError
from pimsim.report.summary import print_run
from pimsim.simulation import simulate
from pimsim.verbs.options import Hardware, Json, Prompt, Quiet, Settings, Tokens, Workload
from pimsim.verbs.output import Output
from pimsim.verbs.progress import progress_report, say_compiling


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("run")
    def run(
        hardware: Hardware,
        workload: Workload,
        tokens: Tokens = None,
        prompt: Prompt = None,
        settings: Settings = None,
        json: Json = None,
        quiet: Quiet = False,
        engine: Annotated[str, typer.Option(help="fast or reference")] = "fast",
        decoding: Annotated[
            str | None, typer.Option("--decoding", metavar="FILE", help="YAML file of a decoding strategy")
        ] = None,
        batch: Annotated[
            int | None, typer.Option("--batch", metavar="N", help="sequences decoded together [workload's own]")
        ] = None,
        prefill_chunk: Annotated[
            int | None,
            typer.Option("--prefill-chunk", metavar="N", help="prompt tokens of a sequence fed in one step [workload's own]"),
        ] = None,
        no_refresh: Annotated[bool, typer.Option("--no-refresh", help="switch refresh off")] = False,
    ) -> None:
        """Simulate every command of a request and print where time and energy went."""
        output = Output(json, quiet)
        if decoding is not None and engine != "fast":
            raise ConfigError(f"--decoding needs the fast engine, not '{engine}'")
        with quick_start(), watch_compilation(say_compiling) as compilation, progress_report(quiet=output.silent) as report:
            if decoding is None:
                result = simulate(
                    hardware, workload, tokens, prompt, batch=batch, prefill_chunk=prefill_chunk,
                    settings=settings or (), engine=engine, refresh=not no_refresh, progress=report,
                )  # fmt: skip
            else:
                result = simulate_decoding(
                    hardware, workload, decoding, tokens, prompt, batch=batch, prefill_chunk=prefill_chunk,
                    settings=settings or (), refresh=not no_refresh, progress=report,
                )  # fmt: skip
        print_run(output.console, result, compilation.seconds)
        output.document(result.to_dict())
