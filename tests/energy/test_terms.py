"""Every energy term of a run against arithmetic on its command counts and the numbers of the YAML file, made here by hand."""

import pytest
import yaml

import pimsim

SMALL = ["workload.model.layers=2", "workload.model.vocabulary=2000"]


@pytest.fixture(scope="module", params=["pim_gpt", "gddr6_aim"])
def run(request):
    return pimsim.simulate(request.param, "gpt2_small", 6, settings=[*SMALL, "dram.refresh.mode=all_bank"])


@pytest.fixture(scope="module")
def yaml_of(pytestconfig):
    return lambda name: yaml.safe_load((pytestconfig.rootpath / "hw_configs" / f"{name}.yaml").read_text())


def number(value, which="nominal"):
    """A YAML value, whichever way it is written."""
    while isinstance(value, dict):
        value = value[which] if which in value else value["value"]
    return value


def energies_j(spec, run, which):
    """Power in mW times time in ns is energy in pJ."""
    idd, shape, energy = spec["dram"]["currents"], spec["dram"], spec["energy"]
    t_rc_ns, t_rfc_ns = {"pim_gpt": (39, 455), "gddr6_aim": (44.5, 105)}[run.hardware]
    banks = shape["bank_groups"] * shape["banks_per_group"]
    count = run.command_counts

    def power(above, standby):
        return (number(idd[above], which) - number(idd[standby], which)) * number(idd["vdd_v"], which)

    read_pj, write_pj = power("idd4r_ma", "idd3n_ma") * 1.0, power("idd4w_ma", "idd3n_ma") * 1.0
    macs = count["MAC_AB"] * banks
    return {
        "activation": (count["ACT"] + count["ACT_AB"] * banks) * power("idd0_ma", "idd2n_ma") * t_rc_ns * 1e-12,
        "column_read": count["RD"] * read_pj * 1e-12,
        "column_write": count["WR"] * write_pj * 1e-12,
        "mac_array_read": macs * read_pj * number(energy["internal_read_fraction"], which) * 1e-12,
        "mac_units": macs * 16 * number(energy["mac_pj"], which) * 1e-12,
        "global_buffer": (count["WR_GB"] + count["MAC_AB"]) * 32 * number(energy["global_buffer_pj_per_byte"], which) * 1e-12,
        "link_io": run.external_bytes * 8 * number(energy["io_pj_per_bit"], which) * 1e-12,
        "refresh": count["REFab"] * power("idd5b_ma", "idd2n_ma") * t_rfc_ns * 1e-12,
        "asic_static": number(energy["asic_power_mw"], which)
        * 1e-3
        * number(energy["asic_static_fraction"], which)
        * run.latency_s,
        "asic_dynamic": number(energy["asic_power_mw"], which)
        * 1e-3
        * (1 - number(energy["asic_static_fraction"], which))
        * run.asic_busy_s,
    }


@pytest.mark.parametrize("which", ["low", "nominal", "high"])
def test_terms_are_counts_times_the_constants_of_the_file(run, yaml_of, which):
    spec = yaml_of(run.hardware)
    found = run.energy_breakdown_band_j[which]
    for term, expected_j in energies_j(spec, run, which).items():
        assert found[term] == pytest.approx(expected_j, rel=1e-9), term
    idd = spec["dram"]["currents"]
    volt = number(idd["vdd_v"], which) * 1e-3
    open_s = found["background_active"] / (idd["idd3n_ma"] * volt)
    closed_s = found["background_precharged"] / (idd["idd2n_ma"] * volt)
    assert open_s + closed_s == pytest.approx(spec["dram"]["channels"] * run.latency_s, rel=1e-6)
    assert set(found) == {*energies_j(spec, run, which), "background_active", "background_precharged"}


def simulate(*settings):
    return pimsim.simulate("pim_gpt", "gpt2_small", 4, settings=[*SMALL, *settings], refresh=False)


def test_slow_pins_cost_time_but_no_energy_in_the_array():
    fast, slow = simulate(), simulate("link.gbit_per_s_per_pin=4")
    assert slow.latency_s > fast.latency_s and slow.command_counts == fast.command_counts
    for term in ("activation", "column_read", "column_write", "mac_array_read", "mac_units"):
        assert slow.energy_breakdown_j[term] == fast.energy_breakdown_j[term], term
    # A bit costs the root of its pin's rate, nominally.
    assert slow.energy_breakdown_j["link_io"] == pytest.approx(fast.energy_breakdown_j["link_io"] / 2)
    assert slow.energy_breakdown_j["background_active"] > fast.energy_breakdown_j["background_active"]


@pytest.mark.parametrize("name", ["tCCD_ns=2", "tRAS_ns=40", "tRP_ns=20"])
def test_slower_timing_costs_no_energy_of_a_row_or_column(name):
    fast, slow = simulate().energy_breakdown_j, simulate(f"dram.timing.{name}").energy_breakdown_j
    for term in ("activation", "column_read", "column_write", "mac_array_read"):
        assert slow[term] == fast[term], term


@pytest.mark.parametrize("lanes", [8, 32, 64])
def test_wide_columns_cost_by_the_byte(lanes):
    result = simulate(f"pim.mac_lanes={lanes}", f"dram.column_bytes={2 * lanes}")
    per_byte_pj = 388 * 1.25 * 0.5 / 32
    read_bytes = result.command_counts["MAC_AB"] * 16 * 2 * lanes
    assert result.energy_breakdown_j["mac_array_read"] == pytest.approx(read_bytes * per_byte_pj * 1e-12, rel=1e-9)
    assert result.energy_breakdown_j["column_read"] == pytest.approx(
        result.command_counts["RD"] * 2 * lanes * 388 * 1.25 / 32 * 1e-12, rel=1e-9
    )


@pytest.mark.parametrize("row_bytes", [1024, 4096])
def test_long_rows_cost_by_the_byte(row_bytes):
    result = simulate(f"dram.row_bytes={row_bytes}")
    opened = result.command_counts["ACT"] + 16 * result.command_counts["ACT_AB"]
    assert result.energy_breakdown_j["activation"] == pytest.approx(opened * 30 * 1.25 * 39 * row_bytes / 2048 * 1e-12, rel=1e-9)


def test_without_the_measured_device_the_currents_are_the_devices_own(tmp_path, yaml_of):
    spec = yaml_of("pim_gpt")
    del spec["dram"]["currents"]["measured_on"]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    own = pimsim.simulate(str(path), "gpt2_small", 4, settings=SMALL, refresh=False)
    assert own.energy_breakdown_j == simulate().energy_breakdown_j
