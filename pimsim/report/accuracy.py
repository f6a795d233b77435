"""``python -m pimsim.report.accuracy [FOLDER]``: write ``accuracy.md`` and its plots, the accuracy-latency trade."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from pimsim.functional.accuracy import ACCURACY_WORKLOAD, COST_CONTEXT, COST_WORKLOAD, SWEEPS, TOKENS, Point, exact_run, sweep
from pimsim.functional.generate import Generation
from pimsim.result.write import check_writable, write_text

HARDWARE = "pim_gpt"
ERRORS, TRADE = "accuracy_errors.svg", "accuracy_trade.svg"
INSTRUCTION = {"exp": "softmax", "gelu": "GELU", "reciprocal": "softmax", "rsqrt": "layer norm"}
HEADING = "# Accuracy and latency of the ASIC's functions"


def write_report(folder: Path) -> None:
    """Compute every point and write the page and its two plots into ``folder``, each file whole or not at all."""
    check_writable(folder / "accuracy.md")
    exact = exact_run(HARDWARE)
    points = sweep(HARDWARE, exact)
    write_text(folder / ERRORS, _svg(errors_plot(points)))
    write_text(folder / TRADE, _svg(trade_plot(points)))
    write_text(folder / "accuracy.md", page(points, exact))


def page(points: list[Point], exact: Generation) -> str:
    """The page as Markdown."""
    floor = exact.references["float32"]
    lines = [
        HEADING,
        "",
        "Written by `python -m pimsim.report.accuracy docs`; do not edit.",
        "",
        f"Each table changes one number of terms or steps of `{HARDWARE}` and leaves the others as they are (bold: as shipped).",
        "The function's errors are over the inputs that it has in a run with exact functions. Token agreement, logits error and KL",
        f"divergence are those of {TOKENS} tokens of `{ACCURACY_WORKLOAD}` with random weights, computed with all the ASIC's",
        "approximations, against a float32 model of the same tokens. With exact functions, BF16 alone gives a logits error of",
        f"{floor['logits_max_error']:.2e} and a KL divergence of {floor['kl_divergence_mean']:.2e}. Cycles are the ASIC's for one",
        "instruction (GELU contains an exp and a reciprocal of its own, and its errors are of all three together);",
        f"time and energy are those of one token of `{COST_WORKLOAD}` at a context of {COST_CONTEXT} (nominal constants).",
        "Times are exact: where a longer instruction pushes a refresh into or out of the token, they jump by it.",
        "",
        f"![errors]({ERRORS})",
        "",
        f"![trade]({TRADE})",
    ]
    for function, (parameter, _) in SWEEPS.items():
        lines += ["", *_section(function, parameter, [point for point in points if point.function == function], exact)]
    return "\n".join(lines) + "\n"


def errors_plot(points: list[Point]) -> Figure:
    """Largest relative error of each function against its terms or steps."""
    figure, axes = plt.subplots(1, len(SWEEPS), figsize=(12, 3.2), layout="constrained")
    for axis, (function, (parameter, _)) in zip(axes, SWEEPS.items(), strict=True):
        mine = [point for point in points if point.function == function]
        axis.semilogy([p.value for p in mine], [p.max_rel_error for p in mine], "o-")
        axis.axhline(2.0**-8, color="grey", linestyle=":", label="half a unit of BF16")
        axis.set(title=function, xlabel=parameter.removeprefix("asic.").replace("_", " "))
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].set_ylabel("largest relative error")
    axes[0].legend(fontsize="small")
    return figure


def trade_plot(points: list[Point]) -> Figure:
    """KL divergence of the model against the time and the energy of a token."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 3.8), layout="constrained", sharey=True)
    for function in SWEEPS:
        mine = [point for point in points if point.function == function]
        divergence = [p.kl_divergence_mean for p in mine]
        axes[0].semilogy(
            [p.cost.token_s * 1e6 for p in mine], divergence, "o-", label=f"{function}: more terms or steps to the right"
        )
        axes[1].semilogy([p.cost.token_j * 1e3 for p in mine], divergence, "o-")
    axes[0].set(xlabel=f"time of a token of {COST_WORKLOAD} [us]", ylabel="mean KL divergence to float32 [nat]")
    axes[1].set(xlabel=f"energy of a token of {COST_WORKLOAD} [mJ]")
    axes[0].legend(fontsize="small")
    return figure


def _section(function: str, parameter: str, points: list[Point], exact: Generation) -> list[str]:
    found = exact.functions[function]
    return [
        f"## {function}: `{parameter}`",
        "",
        f"Inputs from {found['input_min']:.4g} to {found['input_max']:.4g}; cycles are those of the {INSTRUCTION[function]} instruction.",
        "",
        "| value | largest error | largest relative error | token agreement | logits error | KL [nat] | cycles | us a token | mJ a token |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(_row(point) for point in points),
    ]


def _row(point: Point) -> str:
    value = f"**{point.value}**" if point.chosen else str(point.value)
    return (
        f"| {value} | {point.max_abs_error:.2e} | {point.max_rel_error:.2e} | {point.token_agreement:.1%} | {point.logits_max_error:.2e} | "
        f"{point.kl_divergence_mean:.2e} | {point.cost.instruction_cycles} | {point.cost.token_s * 1e6:.3f} | {point.cost.token_j * 1e3:.4f} |"
    )


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "pimsim"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    plt.close(figure)
    return text.getvalue()


if __name__ == "__main__":
    write_report(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
