"""``pimsim run HARDWARE WORKLOAD``."""

from __future__ import annotations

from typing import Annotated

import typer

from pimsim.engine.kernels_first import watch_compilation
from pimsim.engine.kernels_start import quick_start
from pimsim.errors import ConfigError, RequestError
from pimsim.power_trace import power_trace
from pimsim.report.summary import print_run
from pimsim.result.write import check_writable, write_text
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
        power_file: Annotated[str | None, typer.Option("--power-trace", help="also write power over time as CSV")] = None,
        power_window: Annotated[str, typer.Option(help="its windows: microseconds, or 'instruction'")] = "1",
    ) -> None:
        """Simulate every command of a request and print where time and energy went."""
        output = Output(json, quiet)
        if decoding is not None and engine != "fast":
            raise ConfigError(f"--decoding needs the fast engine, not '{engine}'")
        if decoding is not None and power_file is not None:
            raise ConfigError("--power-trace follows plain decoding; give it without --decoding")
        window_us = _window_us(power_window)
        check_writable(power_file)
        with quick_start(), watch_compilation(say_compiling) as compilation, progress_report(quiet=output.silent) as report:
            if decoding is None:
                result = simulate(
                    hardware, workload, tokens, prompt, batch=batch, prefill_chunk=prefill_chunk,
                    settings=settings or (), engine=engine, refresh=not no_refresh, progress=report,
                )  # fmt: skip
            else:
                from pimsim.decoding_run.simulate import simulate_decoding  # strategies bring the float64 models along

                result = simulate_decoding(
                    hardware, workload, decoding, tokens, prompt, batch=batch, prefill_chunk=prefill_chunk,
                    settings=settings or (), refresh=not no_refresh, progress=report,
                )  # fmt: skip
        output.document(result.to_dict())
        print_run(output.console, result, compilation.seconds)
        if power_file:
            everything = [*(settings or ()), *(["dram.refresh.mode=none"] if no_refresh else [])]
            trace = power_trace(
                hardware,
                workload,
                tokens,
                prompt,
                everything,
                round((window_us or 1) * 1e6),
                window_us is None,
                batch=batch,
                prefill_chunk=prefill_chunk,
            )
            write_text(power_file, "\n".join(trace.lines()) + "\n")
            output.console.print(
                f"{power_file}: {len(trace.energy_pj)} windows, {trace.energy_j:.6g} J, at most {trace.peak_w:.4g} W"
            )


def _window_us(text: str) -> float | None:
    """Microseconds of a window; None for windows of one instruction."""
    if text == "instruction":
        return None
    try:
        window_us = float(text)
    except ValueError:
        window_us = 0.0
    if not 1e-6 <= window_us <= 1e9:
        raise RequestError(f"--power-window {text}: must be a time in microseconds, from 1e-6, or 'instruction'")
    return window_us
