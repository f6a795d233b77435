"""A local worker process: reads tasks from its standard input, writes outcomes to its standard output."""

from __future__ import annotations

import os
import pickle
import signal
import sys


def main() -> None:
    """Serve tasks until the driver closes the pipe or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inbox, outbox = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from pimsim.explore.evaluate import evaluate  # after the pipes are safe: an import could print

    while True:
        try:
            task = pickle.load(inbox)
            pickle.dump(evaluate(task), outbox)
            outbox.flush()
        except (EOFError, BrokenPipeError):
            os._exit(0)


if __name__ == "__main__":
    main()
