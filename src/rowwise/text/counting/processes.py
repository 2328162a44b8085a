"""Counting in processes of this machine.

They are started as programs of their own, with pipes, and not by ``multiprocessing``, which would
run the user's script once more in each: so they can be started from any script, with or without
``if __name__ == "__main__"``, and from notebooks. Only an ``analyzer`` must be one that they can
import.
"""

import contextlib
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

from rowwise.errors import InvalidArgumentError, WorkerError
from rowwise.text.counting.counts import Merger, WordCounts
from rowwise.text.counting.texts import Part
from rowwise.text.counting.worker import receive, send
from rowwise.text.cutting import Cutter

# A part whose process ended is counted again, but not forever: it may be the part that ends it.
ATTEMPTS = 3


def count_in_processes(
    parts: Sequence[Part], cutter: Cutter, processes: int, tell: Callable[[int], None]
) -> WordCounts:
    """Count parts in other processes. If one ends, another one counts its part.

    Args:
        parts: the parts.
        cutter: cuts their texts.
        processes: how many.
        tell: is called with the size of each part that is done.

    Raises:
        DataFileError: a file is not as it must be.
        InvalidArgumentError: the ``analyzer`` of ``cutter`` cannot be sent.
        WorkerError: the processes that counted one part ended ``ATTEMPTS`` times.
    """
    pool = _Pool(parts, pickled(cutter), processes)
    merger = Merger()
    try:
        for _ in parts:
            part, answer = pool.next()
            if isinstance(answer, BaseException):
                raise answer
            merger.add(answer)
            tell(part.size)
    finally:  # also after Ctrl-C
        pool.end()
    return merger.result()


class _Pool:
    """Processes, and for each a thread that gives it parts and takes its answers."""

    def __init__(self, parts: Sequence[Part], cutter: bytes, processes: int) -> None:
        self._cutter = cutter
        self._parts: queue.SimpleQueue[Part] = queue.SimpleQueue()
        for part in parts:
            self._parts.put(part)
        # No more answers than processes wait to be merged, so that they cannot fill the memory.
        self._answers: queue.Queue[tuple[Part, WordCounts | BaseException]] = queue.Queue(processes)
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(processes)]
        for thread in self._threads:
            thread.start()

    def next(self) -> tuple[Part, WordCounts | BaseException]:
        """Wait for the next answer."""
        return self._answers.get()

    def end(self) -> None:
        """End all processes, and wait until they are gone."""
        with self._lock:
            self._ended = True
            for process in self._running:
                process.kill()
        for thread in self._threads:
            while thread.is_alive():
                with contextlib.suppress(queue.Empty):
                    self._answers.get_nowait()
                thread.join(0.05)

    def _work(self) -> None:
        process = None
        try:
            while not self._ended:
                try:
                    part = self._parts.get_nowait()
                except queue.Empty:
                    return
                for attempt in range(1, ATTEMPTS + 1):
                    process = process or self._start()
                    if process is None:
                        return
                    answer = _ask(process, part)
                    if answer is not None or self._ended:
                        break
                    process.kill()
                    code = self._stop(process)
                    process = None
                    answer = _lost(part, code) if attempt == ATTEMPTS else None
                if not self._ended and answer is not None:
                    self._answers.put((part, answer))
        except BaseException as error:  # raised where it is waited for
            self._answers.put((part, error))
        finally:
            if process is not None:
                self._stop(process)

    def _start(self) -> subprocess.Popen[bytes] | None:
        """Start a process; None if all shall end."""
        paths = [path for path in sys.path if isinstance(path, str)]
        # Ctrl-C reaches all processes of a terminal, also while they load what they need; this one
        # ends the others.
        code = (
            "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
            f"import sys; sys.path[:] = {paths!r}; "
            "from rowwise.text.counting.worker import serve; serve()"
        )
        with self._lock:
            if self._ended:
                return None
            process = subprocess.Popen(
                [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            self._running.add(process)
        with contextlib.suppress(OSError):  # it ended already; asking it will show that
            assert process.stdin is not None
            send(process.stdin, self._cutter)  # type: ignore[arg-type]
        return process

    def _stop(self, process: subprocess.Popen[bytes]) -> int:
        """End a process that has nothing to do or is no use any more; return its exit code."""
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return code


def _ask(process: subprocess.Popen[bytes], part: Part) -> WordCounts | BaseException | None:
    """Let a process count a part; None if it ended before."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        send(process.stdin, pickle.dumps(part))  # type: ignore[arg-type]
    except OSError:
        return None
    message = receive(process.stdout)  # type: ignore[arg-type]
    if message is None:
        return None
    answer: WordCounts | BaseException = pickle.loads(message)
    return answer


def _lost(part: Part, code: int) -> WorkerError:
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return WorkerError(
        f"{part.path!r}: the process that counted {part.size:,} bytes of it from "
        f"{part.start:,} on ended {how}, {ATTEMPTS} times. If memory ran out, use fewer `workers`."
    )


def pickled(cutter: Cutter) -> bytes:
    """A cutter for other processes.

    Raises:
        InvalidArgumentError: its ``analyzer`` is nothing that they can import.
    """
    try:
        message = pickle.dumps(cutter)
    except Exception as error:  # a function within a function, an object with a lock, ...
        problem = f"cannot be sent there ({error})"
    else:
        if b"__main__" not in message:
            return message
        problem = "is defined in the script itself, which they do not run"
    raise InvalidArgumentError(
        f"With `workers` other processes count, but `analyzer` {problem}. Define it in a module of "
        "its own, or give workers=1."
    )
