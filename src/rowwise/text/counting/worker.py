"""A process that counts parts: it reads them from its input and writes counts to its output.

A message is its length, eight bytes, and a pickle. The first message is the ``Cutter``, every
other one a ``Part``; the answer to a part is its ``WordCounts`` or the exception that it raised.
"""

import contextlib
import os
import pickle
import queue
import sys
import threading
import traceback
from typing import Any, BinaryIO

from rowwise.errors import RowwiseError
from rowwise.text.counting.one_part import count_part

_LENGTH_BYTES = 8


def serve() -> None:
    """Answer until the input ends. Whoever starts this process lets it ignore Ctrl-C."""
    target = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a user's function prints must not get between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, messages), daemon=True).start()
    cutter = _loaded(messages.get())
    while True:
        answer = _answer(messages.get(), cutter)
        with contextlib.suppress(BrokenPipeError):  # nobody waits any more
            send(target, answer)


def _read(source: BinaryIO, messages: "queue.SimpleQueue[bytes]") -> None:
    """Pass messages on; when the input ends, nobody needs this process, whatever it is doing."""
    while (message := receive(source)) is not None:
        messages.put(message)
    os._exit(0)


def send(target: BinaryIO, message: bytes) -> None:
    """Write one message."""
    target.write(len(message).to_bytes(_LENGTH_BYTES, "little"))
    target.write(message)
    target.flush()


def receive(source: BinaryIO) -> bytes | None:
    """Read one message; None if there is none, or only a part of one."""
    length = source.read(_LENGTH_BYTES)
    if len(length) < _LENGTH_BYTES:
        return None
    message = source.read(size := int.from_bytes(length, "little"))
    return message if len(message) == size else None


def _loaded(message: bytes) -> Any:
    try:
        return pickle.loads(message)
    except Exception as error:
        return _with_traceback(error)


def _answer(message: bytes, cutter: Any) -> bytes:
    try:
        if isinstance(cutter, Exception):
            raise cutter
        return pickle.dumps(count_part(pickle.loads(message), cutter), protocol=5)
    except Exception as error:
        try:
            answer = pickle.dumps(_with_traceback(error))
            pickle.loads(answer)  # an exception with arguments of its own may fail only here
        except Exception:
            answer = pickle.dumps(_with_traceback(RuntimeError(repr(error))))
        return answer


def _with_traceback(error: Exception) -> Exception:
    if not isinstance(error, RowwiseError) and not hasattr(error, "__notes__"):
        error.add_note(f"In a process that counts:\n{traceback.format_exc()}")
    return error
