"""``pimsim bench``."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console

from pimsim.bench.engines import CASES, QUICK_CASES, bench_engines
from pimsim.bench.growth import LENGTHS, bench_growth
from pimsim.bench.measure import environment
from pimsim.bench.models import EIGHT, bench_cold_start, bench_models, check_tokens
from pimsim.bench.peer import TURNS, GemvFigures, SetFigures, bench_gemv, check_peer, published
from pimsim.bench.tables import bench_console, print_engines, print_gemv, print_requests
from pimsim.errors import BenchError
from pimsim.result.write import check_writable, write_text

SCHEMA_VERSION = 1
TOKENS, QUICK_TOKENS = 1024, 16
QUICK_MODELS, QUICK_LENGTHS, QUICK_TRACES, MAIN_MODEL = EIGHT[:2], (16, 64), 3, EIGHT[-1]


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("bench")
    def bench(
        engines: Annotated[bool, typer.Option("--engines", help="fast and reference engine on the same program")] = False,
        models: Annotated[
            bool, typer.Option("--models", help="time and memory of the eight models, and of the first run")
        ] = False,
        aim: Annotated[bool, typer.Option("--aim", help="AiM matrix-vector traces beside a peer")] = False,
        growth: Annotated[bool, typer.Option("--growth", help="time and memory with the number of tokens")] = False,
        sweep: Annotated[bool, typer.Option("--sweep", help="points per second of a sweep")] = False,
        json: Annotated[str | None, typer.Option("--json", help="also write the figures to this file")] = None,
        peer_binary: Annotated[
            str | None, typer.Option("--peer-binary", metavar="PATH", help="program run with each trace's path, in turns")
        ] = None,
        tokens: Annotated[int | None, typer.Option("--tokens", help="tokens for --models [1024]")] = None,
        quick: Annotated[bool, typer.Option("--quick", help="small cases only, nothing compiled afresh")] = False,
    ) -> None:
        """Measure this simulator: speed, memory, growth. Without a choice, all but --sweep."""
        chosen = [name for name, on in zip(SECTIONS, (engines, models, aim, growth, sweep), strict=True) if on]
        settings = _Settings(bench_console(), chosen or list(SECTIONS)[:-1], tokens, peer_binary, quick)
        settings.check()
        check_writable(json)
        document: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "quick": quick, "environment": environment()}
        for name in settings.sections:
            document[name] = SECTIONS[name](settings)
        if json:
            write_text(json, json_module.dumps(document, indent=2) + "\n")


class _Settings:
    """What was asked for, checked as a whole before anything is measured."""

    def __init__(self, console: Console, sections: list[str], tokens: int | None, peer: str | None, quick: bool) -> None:
        self.console, self.sections, self.peer, self.quick = console, sections, peer, quick
        self.models = QUICK_MODELS if quick else EIGHT
        self.given_tokens = tokens
        self.tokens = tokens if tokens is not None else QUICK_TOKENS if quick else TOKENS

    def check(self) -> None:
        """Raise PimsimError for an option that nothing would use, or that cannot be met."""
        for option, given, section in (("--peer-binary", self.peer, "aim"), ("--tokens", self.given_tokens, "models")):
            if given is not None and section not in self.sections:
                raise BenchError(f"{option} is for --{section}, which is not among: --{', --'.join(self.sections)}")
        if "sweep" in self.sections and self.quick:
            raise BenchError("--quick has no small case for --sweep")
        check_peer(self.peer)
        check_tokens(self.models, self.tokens)


def _engines(settings: _Settings) -> list[dict[str, Any]]:
    rows = list(bench_engines(QUICK_CASES if settings.quick else CASES))
    print_engines(settings.console, rows)
    return [asdict(row) for row in rows]


def _models(settings: _Settings) -> dict[str, Any]:
    rows = list(bench_models(settings.models, settings.tokens))
    print_requests(settings.console, "Models, kernels compiled before", rows, total=True)
    found: dict[str, Any] = {"warm": [asdict(row) for row in rows]}
    if not settings.quick:
        cold = bench_cold_start(MAIN_MODEL, settings.tokens)
        print_requests(settings.console, "First run on a machine, kernels compiled in it", [cold])
        found["cold"] = asdict(cold)
    return found


def _aim(settings: _Settings) -> dict[str, Any]:
    traces = sorted(published(), key=lambda entry: entry.gemv)
    found = list(bench_gemv(traces[-QUICK_TRACES:] if settings.quick else traces, settings.peer, 1 if settings.quick else TURNS))
    rows = [row for row in found if isinstance(row, GemvFigures)]
    whole = next(row for row in found if isinstance(row, SetFigures))
    print_gemv(settings.console, rows, whole)
    return {"traces": [asdict(row) for row in rows], "set": asdict(whole)}


def _growth(settings: _Settings) -> list[dict[str, Any]]:
    rows = list(bench_growth(QUICK_LENGTHS if settings.quick else LENGTHS))
    print_requests(settings.console, "Growth with tokens", rows)
    return [asdict(row) for row in rows]


def _sweep(settings: _Settings) -> dict[str, Any]:
    from pimsim.explore.bench import bench_sweep

    figures = bench_sweep()
    settings.console.print("Sweep")
    for name, value in figures.items():
        settings.console.print(f"  {name:<32}{value:,.6g}", highlight=False)
    return figures


SECTIONS: dict[str, Callable[[_Settings], Any]] = {
    "engines": _engines,
    "models": _models,
    "aim": _aim,
    "growth": _growth,
    "sweep": _sweep,
}
