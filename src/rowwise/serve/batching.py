"""Gathering the questions of many requests, so that one pass answers them all.

A pass over a table costs nearly the same for one query as for several, and so does a step of a
model. So one thread works, and what arrives while it does is its next batch: the more requests
come, the more of them one pass answers. Those who have just been answered, and ask again, are
waited for a little.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from rowwise.serve.problems import Problem

# After a batch, clients that wait for an answer before they ask again ask within some milliseconds.
# One pass for all of them costs less than two for halves of them, which would also take the cores
# from each other's reading and writing. So the thread waits until there are as many as before: for
# no longer than the last batch took, nor than the most seconds here, and for this share of that
# while none comes.
MOST_SECONDS = 0.04
SHARE_FOR_NOTHING = 0.25

# A loop sends what was written in one of its rounds when that has come to its end. With all of a
# batch in one round the first would wait for the last, and nothing new would be read meanwhile.
AT_ONCE = 4

# A thread that has had nothing to do for so long ends; the next question starts another one.
IDLE_SECONDS = 5.0

Q_contra = TypeVar("Q_contra", contravariant=True)
A_co = TypeVar("A_co", covariant=True)
Q = TypeVar("Q")
A = TypeVar("A")


class Kind(Protocol[Q_contra, A_co]):
    """Questions that can be answered together; its methods are called in one thread only."""

    @property
    def most(self) -> int:
        """The cost of a batch at most; a question that alone costs more is a batch of its own."""

    def cost(self, question: Q_contra) -> int:
        """What a question adds to the cost of a batch."""

    def answer(self, questions: Sequence[Q_contra]) -> Sequence[A_co | Exception]:
        """An answer to each question, or the error that it is answered with."""


@dataclass(eq=False)
class _Job(Generic[Q, A]):
    kind: Kind[Q, A]
    question: Q
    number: int
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[A]"


class Batcher:
    """One thread that answers questions of several kinds, each batch of one kind.

    Args:
        waiting: how many questions may wait at most.
    """

    def __init__(self, waiting: int) -> None:
        self._most_waiting = waiting
        self._queues: dict[Kind[Any, Any], deque[_Job[Any, Any]]] = {}
        self._waiting = self._asked = 0
        self._changed = threading.Condition()
        # How many questions have to wait for the thread to be woken. Each time that it is takes the
        # loop's time, in which no question is read.
        self._wake_at = 1
        self._thread: threading.Thread | None = None
        # Of the last batch: how many questions it had, whether it left some of its kind for the
        # next one, and how many seconds it took.
        self._last, self._was_full, self._took = 0, False, 0.0
        self._is_closed = False

    async def ask(self, kind: Kind[Q, A], question: Q) -> A:
        """The answer to a question. Whoever is cancelled while waiting is not answered.

        Raises:
            Problem: too many questions wait already, or the batcher is closed.
            Exception: what the kind answers with.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[A] = loop.create_future()
        with self._changed:
            if self._is_closed:
                raise Problem(503, "stopped", "The server is stopping and takes no more requests.")
            if self._waiting >= self._most_waiting:
                raise Problem(
                    503,
                    "busy",
                    "Too many requests wait already. Try again in a second.",
                    headers=[("retry-after", "1")],
                )
            self._waiting += 1
            self._asked += 1
            queue = self._queues.setdefault(kind, deque())
            queue.append(_Job(kind, question, self._asked, loop, future))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="rowwise-serve", daemon=True
                )
                self._thread.start()
            if self._waiting >= self._wake_at:
                self._changed.notify()
        return await future

    def open(self) -> None:
        """Take questions again after ``close``: an application may be started once more."""
        with self._changed:
            self._is_closed = False

    def close(self) -> None:
        """Answer what waits, take nothing more, and return when the thread has ended."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while batch := self._next():
            begun = time.perf_counter()
            try:
                answers = batch[0].kind.answer([job.question for job in batch])
            except Exception as error:
                answers = [error] * len(batch)
            self._took = time.perf_counter() - begun
            _deliver(batch, answers)

    def _next(self) -> list[_Job[Any, Any]]:
        """The next batch, or nothing when the thread is to end."""
        self._let_arrive()
        is_idle = False
        with self._changed:
            while True:
                # Also after the wait ran out: a question may have come at that moment.
                if batch := self._take():
                    self._last = len(batch)
                    self._was_full = bool(self._queues[batch[0].kind])
                    return batch
                if self._is_closed or is_idle:
                    self._thread, self._last = None, 0
                    return []
                is_idle = not self._changed.wait(IDLE_SECONDS)

    def _let_arrive(self) -> None:
        """Wait until as many questions are there as before, if they keep arriving."""
        with self._changed:
            before = self._waiting
            expected = self._last if self._was_full else self._last + before
            if expected < 2:
                return
            most = min(self._took, MOST_SECONDS)
            end = time.perf_counter() + most
            self._wake_at = expected
            while not self._is_closed and self._waiting < expected:
                before, left = self._waiting, end - time.perf_counter()
                self._changed.wait(max(0, min(left, SHARE_FOR_NOTHING * most)))
                if left <= 0 or self._waiting == before:
                    break
            self._wake_at = 1

    def _take(self) -> list[_Job[Any, Any]]:
        """The oldest question that is still asked, and others of its kind."""
        queues = [queue for queue in self._queues.values() if queue]
        batch: list[_Job[Any, Any]] = []
        cost = 0
        for queue in sorted(queues, key=lambda queue: queue[0].number):
            while queue:
                job = queue[0]
                if not job.future.done():
                    cost += job.kind.cost(job.question)
                    if batch and cost > job.kind.most:
                        return batch
                    batch.append(job)
                queue.popleft()
                self._waiting -= 1
            if batch:
                return batch
        return batch


def _deliver(batch: list[_Job[Any, Any]], answers: Sequence[Any]) -> None:
    """Hand all answers over at once: waking a loop costs more than an answer."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for job, answer in zip(batch, answers, strict=True):
        by_loop.setdefault(job.loop, []).append((job.future, answer))
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_set, loop, pairs)
        except RuntimeError:  # the loop is closed: nobody waits
            continue


def _set(
    loop: asyncio.AbstractEventLoop, pairs: list[tuple["asyncio.Future[Any]", Any]], first: int = 0
) -> None:
    """Tell a few what their answers are, and the others in the next round of the loop."""
    for future, answer in pairs[first : first + AT_ONCE]:
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
    if first + AT_ONCE < len(pairs):
        loop.call_soon(_set, loop, pairs, first + AT_ONCE)
