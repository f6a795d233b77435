"""The table of the reproduction: published, ours, ratio, and which baseline assumption each figure needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pimsim.config.baseline import load_baseline
from pimsim.config.decoder.mixers import AttentionSpec
from pimsim.config.load import load_hardware, load_workload
from pimsim.report.comparison_table import IDEAL, METHODS
from pimsim.report.reproduce.collect import CLOCK_RATIO, HARDWARE, LARGEST, LONG_CONTEXT, Reproduction
from pimsim.report.reproduce.measures import (
    block_weights,
    data_movement_reduction,
    operations_per_parameter,
    peak_mac_per_ns,
)
from pimsim.report.reproduce.overhead import needed_software
from pimsim.report.reproduce.published import Published, published_figures, published_range
from pimsim.workload.model import DecoderModel


@dataclass(frozen=True)
class Row:
    """A published figure beside ours; ``ours`` is None where nothing is computed, and ``note`` says why.

    ``needs`` names the baseline assumption; ``published_range`` are the numbers in the published text, None if it has none.
    """

    published: Published
    ours: tuple[float, float] | None
    needs: str
    note: str
    published_range: tuple[float, float] | None

    @property
    def ratio(self) -> tuple[float, float] | None:
        """Ours over published, low end to low end and high to high."""
        if self.ours is None or self.published_range is None:
            return None
        return self.ours[0] / self.published_range[0], self.ours[1] / self.published_range[1]


_Maker = Callable[[Reproduction, Published], Iterator[Row]]


def table(data: Reproduction) -> list[Row]:
    """At least one row for every published figure, in the order of the published table."""
    return [row for figure in published_figures().values() for row in _maker(figure.key)(data, figure)]


def _row(figure: Published, values: Iterable[float], needs: str, note: str, said: tuple[float, float] | None = None) -> Row:
    numbers = list(values)
    return Row(figure, (min(numbers), max(numbers)), needs, note, said or published_range(figure.text))


def _against(baseline: str, value: str) -> _Maker:
    def rows(data: Reproduction, figure: Published) -> Iterator[Row]:
        own = data.comparison[(data.comparison.baseline == baseline) & data.comparison[value].notna()]
        for method in METHODS:
            part = own[own.method == method]
            if part.empty:
                continue
            low, high = part[f"{value}_low"].min(), part[f"{value}_high"].max()
            bound = "a bound: no software overhead, peak bandwidth" if method == IDEAL and value == "speedup" else ""
            yield _row(
                figure, part[value], f"{baseline}, {method}", bound or f"with every error and band: {low:.3g} to {high:.3g}"
            )

        if value == "speedup":
            yield _solved(data, figure, baseline)

    return rows


def _solved(data: Reproduction, figure: Published, baseline: str) -> Row:
    said = published_range(figure.text)
    assert said is not None
    needed = needed_software(data.nominal.items(), load_baseline(baseline), data.comparison, *said)
    low, high = needed.overhead_low_ms.min(), needed.overhead_high_ms.max()
    note = f"the overhead that gives the published range: {low:.3g} ms a token (smallest model) to {high:.3g} ms (largest)"
    return Row(figure, said, f"{baseline}, ideal roofline plus a software overhead solved for", note, said)


def _power_ratio(baseline: str) -> _Maker:
    def rows(data: Reproduction, figure: Published) -> Iterator[Row]:
        part = data.comparison[(data.comparison.baseline == baseline) & (data.comparison.method == "modelled eager")]
        ratios = part.energy_gain / part.speedup
        yield _row(figure, ratios, f"{baseline}, modelled eager", "average power over ours, nominal constants, same run")

    return rows


def _pim_power(data: Reproduction, figure: Published) -> Iterator[Row]:
    power = [run.average_power_w for run in data.nominal.values()]
    bands = [run.energy_j[end] / run.latency_s for run in data.nominal.values() for end in ("low", "high")]
    note = f"average power of DRAM, MAC units, link and ASIC; {min(bands):.3g} to {max(bands):.3g} W over the constants' bands"
    for version, said in (("v2", (23.0, 25.0)), ("v1", (8.5, 8.8))):
        yield _row(figure, power, f"published: {version}, T4 at its 70 W TDP", note, said)


def _row_hits(data: Reproduction, figure: Published) -> Iterator[Row]:
    note = "column accesses, bank by bank, that found their row open; a row of 64 columns opened once gives 98.4 %"
    yield _row(figure, (run.row_hit_rate * 100 for run in data.nominal.values()), "none", note)


def _data_movement(data: Reproduction, figure: Published) -> Iterator[Row]:
    note = (
        "defined here as the bytes a GDDR6 device without MAC units moves over its pins (all weights, K and V of the context, "
        "each token) over the bytes ours moves"
    )
    yield _row(figure, (data_movement_reduction(name, run) for name, run in data.nominal.items()), "none", note)


def _non_vmm(data: Reproduction, figure: Published) -> Iterator[Row]:
    name, asic = data.largest, load_hardware(HARDWARE).asic
    run, said = data.nominal[name], published_range(figure.text)
    needed = units_for_share(data, said[0]) if said else None
    more = (
        f"the published share needs {needed:.0f} times as many"
        if needed
        else "more of them alone do not give the published share"
    )
    counts = f"assumed {asic.adders} adders and {asic.multipliers} multipliers, {asic.exp_taylor_terms} Taylor terms"
    note = f"ASIC busy over latency, {name}, {counts}: {more}"
    yield _row(figure, [run.asic_busy_s / run.latency_s * 100], "none", note)


def units_for_share(data: Reproduction, percent: float) -> float | None:
    """Factor on adders and multipliers at which the ASIC's share is ``percent``, between simulated points; None if beyond."""
    share, factor = data.units.asic_share_percent.to_numpy(), data.units.factor.to_numpy(float)
    if not share.min() <= percent <= share.max():
        return None
    return float(np.exp(np.interp(percent, share[::-1], np.log(factor[::-1]))))


def _slow_asic(data: Reproduction, figure: Published) -> Iterator[Row]:
    slow = [(data.slow_asic[name].latency_s / run.latency_s - 1) * 100 for name, run in data.nominal.items()]
    note = (
        f"{CLOCK_RATIO - 1} more times the ASIC's share, as instructions are issued one after another; follows from the row above"
    )
    yield _row(figure, slow, "none", note)


def _channels(data: Reproduction, figure: Published) -> Iterator[Row]:
    last = data.channels[data.channels.channels == data.channels.channels.max()]
    note = f"part of linear scaling that {int(last.channels.iloc[0])} channels keep over 8: the ASIC's part does not scale"
    yield Row(figure, (last.efficiency_percent.min(), last.efficiency_percent.max()), "none", note + " [%]", None)


def _contexts(data: Reproduction, figure: Published) -> Iterator[Row]:
    table = data.contexts.pivot(index="workload", columns="context_tokens", values="ms_per_token")
    growth = table[LONG_CONTEXT] / table[1024]
    missing = f"; does not fit: {', '.join(data.no_long_context)}" if data.no_long_context else ""
    note = f"token at context {LONG_CONTEXT} over token at 1024, K and V reserved for {LONG_CONTEXT}{missing}"
    yield Row(figure, (growth.min(), growth.max()), "none", note, None)


def _model(workload: str) -> _Maker:
    def rows(data: Reproduction, figure: Published) -> Iterator[Row]:
        model = DecoderModel(load_workload(workload).model)
        spec, weights = model.spec, block_weights(model)
        floor_us = weights / peak_mac_per_ns(load_hardware(HARDWARE)) / 1000
        said = 12 * spec.layers * spec.d_model**2 / 1e6
        heads = spec.mixer.heads if isinstance(spec.mixer, AttentionSpec) else 0
        note = (
            f"ours L={spec.layers} heads={heads} d={spec.d_model}: million weights of the layers against 12 L d^2; "
            f"{floor_us:.4g} us a token at full MAC use"
        )
        yield _row(figure, [weights / 1e6], "none", note, (said, said))

    return rows


def _largest(data: Reproduction, figure: Published) -> Iterator[Row]:
    sizes = {name: DecoderModel(load_workload(name).model).parameters / 1e9 for name in data.nominal}
    name = max(sizes, key=lambda key: sizes[key])
    yield _row(figure, [sizes[name]], "none", f"parameters of {name}, embeddings included [10^9]")


def _parameters(data: Reproduction, figure: Published) -> Iterator[Row]:
    model = DecoderModel(load_workload(LARGEST).model)
    note = f"all parameters; those of the layers' matrices alone are {block_weights(model) / 1e9:.4g} [10^9]"
    yield _row(figure, [model.parameters / 1e9], "none", note)


def _intensity(data: Reproduction, figure: Published) -> Iterator[Row]:
    model = DecoderModel(load_workload(LARGEST).model)
    values = [operations_per_parameter(model, context) for context in (1, 1024)]
    yield _row(figure, values, "none", "operations of the matrix products at context 1 and 1024 over all parameters")


def _energy_versions(data: Reproduction, figure: Published) -> Iterator[Row]:
    width = [run.energy_j["high"] / run.energy_j["low"] for run in data.nominal.values()]
    note = "energy with all constants at their high end over all at their low end: what separates v1 from v2 lies within"
    yield _row(figure, width, "none", note)


def _nothing(data: Reproduction, figure: Published) -> Iterator[Row]:
    reason = "another accelerator, not PIM-GPT" if figure.key.startswith("other") else "no published value at hand"
    yield Row(figure, None, "none", f"not computed: {reason}", None)


def _maker(key: str) -> _Maker:
    if key.startswith("model_"):
        return _model(key.removeprefix("model_"))
    return _MAKERS.get(key, _nothing)


_T4, _XEON = "t4", "xeon_gold_6154"
_MAKERS: dict[str, _Maker] = {
    "speedup_t4": _against(_T4, "speedup"),
    "speedup_xeon": _against(_XEON, "speedup"),
    "speedup_xeon_thesis": _against(_XEON, "speedup"),
    "energy_t4_v1": _against(_T4, "energy_gain"),
    "energy_xeon_v1": _against(_XEON, "energy_gain"),
    "energy_t4_v2": _against(_T4, "energy_gain"),
    "energy_xeon_v2": _against(_XEON, "energy_gain"),
    "energy_v1_over_v2": _energy_versions,
    "power_t4_v2": _power_ratio(_T4),
    "power_t4_v1": _power_ratio(_T4),
    "power_xeon_v2": _power_ratio(_XEON),
    "power_xeon_v1": _power_ratio(_XEON),
    "pim_power": _pim_power,
    "row_hits": _row_hits,
    "data_movement": _data_movement,
    "non_vmm": _non_vmm,
    "slow_asic": _slow_asic,
    "channels": _channels,
    "context_8k": _contexts,
    "largest_model": _largest,
    "gpt3_xl_parameters": _parameters,
    "gpt3_xl_intensity": _intensity,
}
