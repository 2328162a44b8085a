"""An alarm rings at the time that was set last, with few timers."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowwise.serve.alarm import Alarm


class Loop:
    """A loop whose time is moved by the test."""

    def __init__(self) -> None:
        self.now, self.timers, self.begun = 0.0, [], 0  # type: ignore[var-annotated]

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> Any:
        timer = Timer(when, callback)
        self.timers.append(timer)
        self.begun += 1
        return timer

    def advance(self, to: float) -> None:
        while due := [timer for timer in self.timers if timer.when <= to and timer.waits]:
            first = min(due, key=lambda timer: timer.when)
            self.now, first.waits = first.when, False
            first.callback()
        self.now = to


class Timer:
    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when, self.callback, self.waits = when, callback, True

    def cancel(self) -> None:
        self.waits = False


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([1, 5, 10, None])), max_size=30))
def test_it_rings_as_a_timer_that_is_begun_anew_each_time(steps: list[Any]) -> None:
    loop, rung = Loop(), []
    alarm = Alarm(loop, lambda: rung.append(loop.now))  # type: ignore[arg-type]
    expected, rings_at = [], None
    for pause, seconds in steps:
        to = loop.now + pause
        if rings_at is not None and rings_at <= to:
            expected.append(rings_at)
            rings_at = None
        loop.advance(to)
        if seconds is None:
            alarm.stop()
            rings_at = None
        else:
            alarm.set(seconds)
            rings_at = to + seconds
        assert sum(timer.waits for timer in loop.timers) <= 1
    loop.advance(loop.now + 100)
    assert rung == [*expected, *([] if rings_at is None else [rings_at])]


def test_moving_it_begins_no_timer() -> None:
    loop = Loop()
    alarm = Alarm(loop, lambda: pytest.fail("It was put off."))  # type: ignore[arg-type]
    for number in range(1_000):
        alarm.set(10)
        alarm.set(5)
        loop.advance(number / 100)
    assert loop.begun < 5
    alarm.close()
    loop.advance(1_000)
