"""``pimsim peer DEVICE OPERATION SIZE...``."""

from __future__ import annotations

import csv
from typing import Annotated

import typer

from pimsim.errors import ConfigError
from pimsim.peers.attacc_program import PLACES
from pimsim.peers.log import PeerRun
from pimsim.peers.run import check_sizes, run_attacc, run_hbm_pim
from pimsim.result.write import text_output
from pimsim.units import ck_to_s
from pimsim.verbs.output import Output

_COLUMNS = ("clock", "command", "mode", "pseudo_channel", "rank", "bank_group", "bank", "row", "column")


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""

    @app.command("peer")
    def peer(
        device: Annotated[str, typer.Argument(help="hbm_pim or attacc")],
        operation: Annotated[str, typer.Argument(help="hbm_pim: gemv, add, mul, relu; attacc: attention")],
        sizes: Annotated[
            list[int],
            typer.Argument(metavar="SIZE...", help="gemv: OUTPUTS INPUTS; add, mul, relu: ELEMENTS; attention: HEADS LENGTH"),
        ],
        batch: Annotated[int, typer.Option("--batch", help="gemv: products with the same matrix")] = 1,
        head_size: Annotated[int, typer.Option("--head-size", help="attention: elements of a head")] = 128,
        max_length: Annotated[int, typer.Option("--max-length", help="attention: tokens that room is kept for")] = 4096,
        units: Annotated[str, typer.Option("--units", help=f"attention: where units stand: {', '.join(PLACES)}")] = "bank",
        rate: Annotated[str, typer.Option("--rate", help="attention: Gb/s of a pin: 4.8, 5.2, 5.6, 6.0, 6.4")] = "5.2",
        power_limit: Annotated[bool, typer.Option("--power-limit/--no-power-limit", help="attention: hold MACs apart")] = True,
        commands: Annotated[str | None, typer.Option("--commands", help="also write the commands of channel 0 as CSV")] = None,
        settings: Annotated[list[str], typer.Option("--set", help="time=CK, as nRP=15")] = [],  # noqa: B006
        json: Annotated[
            str | None, typer.Option("--json", help="also write the result as JSON to this file, or - for the output")
        ] = None,
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")] = False,
    ) -> None:
        """Run an operation on another group's PIM device, by that group's program, controller and rules."""
        output = Output(json, quiet)
        check_sizes(device, operation, sizes)
        times = _times(settings)
        if device == "hbm_pim":
            run = run_hbm_pim(operation, sizes, batch, times)
        else:
            heads, length = sizes
            run = run_attacc(heads, length, head_size, max_length, units, rate, power_limit, times)
        if commands:
            _write(commands, run)
        seconds = ck_to_s(run.cycles, run.t_ck_ps)
        output.console.print(f"{run.device}: {run.operation}")
        output.console.print(f"  cycles {run.cycles}  ({seconds * 1e6:.3f} us at {run.t_ck_ps} ps)")
        output.console.print(f"  commands of channel 0: {', '.join(f'{name} {count}' for name, count in run.counts.items())}")
        output.document(
            {
                "device": run.device,
                "operation": run.operation,
                "cycles": run.cycles,
                "simulated_time_s": seconds,
                "commands_by_kind": run.counts,
            }
        )


def _times(settings: list[str]) -> dict[str, int]:
    found = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not value.isascii() or not value.isdigit() or len(value) > 9:
            raise ConfigError(f"--set {setting[:60]}: must be time=CK, as nRP=15")
        found[name] = int(value)
    return found


def _write(path: str, run: PeerRun) -> None:
    with text_output(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows([getattr(command, name) for name in _COLUMNS] for command in run.commands)
