"""Errors a user can cause. Each says where, what, in which unit, what is allowed, and the nearest name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pimsim.text import message, shown

_LONGEST_COMPARED = 200


class PimsimError(Exception):
    """Base of every error caused by input; the command line prints its text and exits with code 2.

    The text can hold what a file or an argument held, and is made safe to print: no control characters, no endless lines.
    """

    def __init__(self, text: object = "") -> None:
        super().__init__(message(str(text)))


class ConfigError(PimsimError):
    """A hardware, workload, baseline or sweep description is wrong."""


class CapacityError(PimsimError):
    """A model does not fit into the memory of the device."""


class MappingError(PimsimError):
    """A mapping policy cannot place an operation on the device."""


class BlocksDoNotFitError(PimsimError):
    """Steps have more different blocks of commands than the fast engine keeps at a time."""


class TraceError(PimsimError):
    """A command stream or an instruction trace is malformed."""


class WeightsError(PimsimError):
    """A file of weights is damaged, or does not hold the tensors of the model."""


class RequestError(PimsimError):
    """A request (prompt, tokens to generate) makes no sense for the model or device."""


class StoreError(PimsimError):
    """A store of sweep results cannot be opened, read or written."""


class ClusterError(PimsimError):
    """A cluster of workers cannot be reached or used."""


class OutputError(PimsimError):
    """A file cannot be written, or must not be: it is a device, a folder, or cannot be replaced."""


class ResultError(PimsimError):
    """A computed result is impossible (not finite, a rate above one, parts that do not sum up) and is not handed out."""


class WorkerError(PimsimError):
    """A worker of a sweep runs other code than the driver."""


class BenchError(PimsimError):
    """A measurement cannot be made: its settings contradict each other, or a program it times failed."""


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the closest allowed name, or an empty string."""
    if len(name) > _LONGEST_COMPARED:
        return ""
    names = list(allowed)
    swapped = [candidate for candidate in names if candidate != name and sorted(candidate) == sorted(name)]
    if swapped:
        return f" (did you mean '{shown(swapped[0])}'?)"
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if not close:
        folded = {candidate.lower(): candidate for candidate in names}
        close = [folded[match] for match in difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.5)]
    return f" (did you mean '{shown(close[0])}'?)" if close else ""
