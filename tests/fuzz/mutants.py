"""Seeded mutations of descriptions and files: within the schema's limits, at them, and beyond."""

from __future__ import annotations

import random
from typing import Any

TINY: dict[str, Any] = {
    "name": "tiny",
    "source": "made up for tests",
    "model": {
        "source": "made up for tests", "family": "gpt2", "layers": 1, "d_model": 64, "heads": 2, "d_ff": 128,
        "vocabulary": 96, "max_context": 16,
    },
    "request": {"source": "made up for tests", "prompt_tokens": 1, "generate_tokens": 2},
}  # fmt: skip
_SIZES = (1, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100)
_WRONG: tuple[Any, ...] = (
    None, True, "", "x", "\x1b[2J", -1, 0, 1.5, float("inf"), 1 << 63, 10**400, [], {}, [[]], {"value": 1, "source": ""}, "x" * 5000,
)  # fmt: skip
_TIMING = (
    "RCD",
    "RP",
    "RAS",
    "CCD",
    "WR",
    "RTP",
    "CL",
    "CWL",
    "RRD",
    "FAW",
    "WTRS",
    "WTRL",
    "RFC",
    "REFI",
    "MACRD",
    "WLGB",
    "RLMAC",
)


def small_model(chance: random.Random) -> dict[str, Any]:
    """A model of a few odd sizes, each within the schema's limits."""
    heads = chance.choice((1, 1, 2, 3, 4))
    model = {
        "family": chance.choice(("gpt2", "gpt2", "llama")), "layers": chance.choice((1, 2)), "heads": heads,
        "d_model": heads * chance.choice((1, 2, 3, 8, 17, 32)), "d_ff": chance.choice(_SIZES), "vocabulary": chance.choice(_SIZES),
        "max_context": chance.choice((3, 4, 16, 17)),
    }  # fmt: skip
    return {**TINY, "model": {**TINY["model"], **model}}


def settings(chance: random.Random) -> list[str]:
    """A few assignments to a device: physical, extreme and impossible ones."""
    made = []
    for _ in range(chance.randint(1, 3)):
        made.append(
            chance.choice(
                (
                    lambda: (
                        f"dram.timing.t{chance.choice(_TIMING)}_ns={chance.choice((0, 1, 7, 50, 500, 853, 7000, 1000000000))}"
                    ),
                    lambda: f"dram.channels={chance.choice((1, 2, 3, 16))}",
                    lambda: f"dram.rows={chance.choice((1, 2, 64, 1024, 1 << 30))}",
                    lambda: f"dram.row_bytes={chance.choice((32, 64, 256, 4096, 33))}",
                    lambda: f"pim.global_buffer_bytes={chance.choice((32, 64, 2048, 48))}",
                    lambda: f"pim.accumulators_per_bank={chance.choice((1, 2, 64))}",
                    lambda: f"asic.clock_ghz={chance.choice((0.001, 0.01, 1.0, 100.0, 0.0))}",
                    lambda: f"asic.adders={chance.choice((1, 3, 1 << 20))}",
                    lambda: f"link.gbit_per_s_per_pin={chance.choice((0.01, 1.0, 1000.0))}",
                    lambda: f"energy.asic_static_fraction={chance.choice((0.0, 1.0, 1.5, -0.1))}",
                    lambda: f"energy.mac_pj={chance.choice((0.0, 1.0e12, 1.0e300))}",
                    lambda: f"dram.refresh.mode={chance.choice(('none', 'all_bank', 'per_bank'))}",
                    lambda: f"controller.issue={chance.choice(('serial', 'overlap'))}",
                    lambda: f"mapping={chance.choice(('pim_gpt', 'row_per_output', 'none_such'))}",
                )
            )()
        )
    return made


def spoilt(document: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """``document`` with one value replaced, removed, renamed or added somewhere."""
    copy = {key: spoilt_later(value) for key, value in document.items()}
    place = copy
    while True:
        key = chance.choice(list(place))
        if isinstance(place[key], dict) and place[key] and chance.random() < 0.8:
            place = place[key]
            continue
        kind = chance.randrange(4)
        if kind == 0:
            del place[key]
        elif kind == 1:
            place[f"{key}x"] = place.pop(key)
        else:
            place[key] = chance.choice(_WRONG)
        return copy


def spoilt_later(value: Any) -> Any:
    """A copy that can be changed."""
    return {key: spoilt_later(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def damaged(content: bytes, chance: random.Random) -> bytes:
    """``content`` with bits flipped, a piece cut, doubled or replaced by noise."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 20))):
        at, length = chance.randrange(len(made) + 1), chance.randint(1, 40)
        kind = chance.randrange(5)
        if kind == 0 and made:
            made[at % len(made)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del made[at : at + length]
        elif kind == 2:
            made[at:at] = made[at : at + length]
        elif kind == 3:
            made[at:at] = chance.randbytes(length)
        else:
            made[at : at + length] = chance.choice((b"-1", b"9" * 30, b"\0", b"\x1b[2J", b",,", b"\n", b"e9", b'"', b"\xff\xfe"))
    return bytes(made)
