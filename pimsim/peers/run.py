"""Run an operation on a peer's device as the peer does: cycles, and every command of one channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pimsim.errors import ConfigError, nearest
from pimsim.peers import attacc_controller, attacc_program, hbm_pim_controller, hbm_pim_program
from pimsim.peers.devices import HBM_PIM, attacc_timing
from pimsim.peers.log import PeerRun

# What each device can do, and the sizes that an operation takes.
OPERATIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "hbm_pim": {"gemv": ("outputs", "inputs"), "add": ("elements",), "mul": ("elements",), "relu": ("elements",)},
    "attacc": {"attention": ("heads", "length")},
}


def run_hbm_pim(operation: str, sizes: Sequence[int], batch: int = 1, settings: Mapping[str, int] | None = None) -> PeerRun:
    """``gemv`` of ``sizes`` (outputs, inputs), ``batch`` times, or ``add``, ``mul``, ``relu`` of (elements,) on four stacks.

    ``settings`` replaces times in CK. Raises ConfigError for an unknown operation or size.
    """
    check_sizes("hbm_pim", operation, sizes)
    shape, timing = hbm_pim_program.HbmPimShape(), HBM_PIM.with_settings(settings or {})
    if operation == "gemv":
        outputs, inputs = sizes
        accesses = hbm_pim_program.gemv_program(shape, outputs, inputs, batch)
        name = f"gemv {outputs}x{inputs} batch {batch}"
    else:
        if batch != 1:
            raise ConfigError(f"hbm_pim: batch is for gemv, not for {operation}")
        accesses = hbm_pim_program.elementwise_program(shape, operation, sizes[0])
        name = f"{operation} {sizes[0]}"
    controller = hbm_pim_controller.Controller(accesses, shape, timing.cycles)
    cycles = controller.run()
    return PeerRun("hbm_pim", name, cycles, timing.t_ck_ps, tuple(controller.issued))


def run_attacc(
    heads: int, length: int, head_size: int = 128, max_length: int = 4096, units: str = "bank",
    gbit_per_s: str = "5.2", power_limited: bool = True, settings: Mapping[str, int] | None = None,
) -> PeerRun:  # fmt: skip
    """One token's attention for ``heads`` heads over ``length`` tokens on a stack, its units in ``bank``, ``bank_group``, ``buffer_die``.

    ``max_length`` is what room is kept for. ``settings`` replaces times in CK. Raises ConfigError for an impossible size.
    """
    shape = attacc_program.AttaccShape()
    timing = attacc_timing(gbit_per_s, power_limited).with_settings(settings or {})
    requests = attacc_program.attention_program(shape, units, heads, length, head_size, max_length)
    controller = attacc_controller.Controller(requests, timing.cycles, shape.pseudo_channels)
    cycles = controller.run()
    name = f"attention of {heads} heads of {head_size} over {length} tokens, units in the {units.replace('_', ' ')}"
    return PeerRun("attacc", name, cycles, timing.t_ck_ps, tuple(controller.issued))


def check_sizes(device: str, operation: str, sizes: Sequence[int]) -> None:
    """Refuse what a device cannot do, and more or fewer sizes than it takes."""
    if device not in OPERATIONS:
        raise ConfigError(f"unknown device '{device[:40]}'{nearest(device[:40], OPERATIONS)}; known: {', '.join(OPERATIONS)}")
    known = OPERATIONS[device]
    if operation not in known:
        raise ConfigError(
            f"{device}: unknown operation '{operation[:40]}'{nearest(operation[:40], known)}; known: {', '.join(known)}"
        )
    names = known[operation]
    if len(sizes) != len(names):
        raise ConfigError(
            f"{device} {operation} takes {len(names)} size(s): {' '.join(name.upper() for name in names)}; not {len(sizes)}"
        )
