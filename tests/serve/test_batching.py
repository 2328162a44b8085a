"""Questions are gathered into batches, and each gets its own answer."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from rowwise import TextClassifier, Vectors
from rowwise.serve import batching, create_app
from rowwise.serve.batching import Batcher


class Doubling:
    """Doubles numbers; 13 is an error, 666 ends the batch. The first batch waits for ``go``."""

    def __init__(self, most: int = 100) -> None:
        self.most = most
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()
        self.go = threading.Event()

    def cost(self, question: int) -> int:
        return max(1, question // 1000)

    def answer(self, questions: Sequence[int]) -> list[int | Exception]:
        assert self.go.wait(10)
        self.threads.add(threading.get_ident())
        self.batches.append(list(questions))
        if 666 in questions:
            raise RuntimeError("the batch failed")
        return [ValueError("unlucky") if each == 13 else 2 * each for each in questions]


def run(scenario: Callable[[Batcher], Any]) -> None:
    async def main() -> None:
        batcher = Batcher(1_000)
        await scenario(batcher)
        await asyncio.to_thread(batcher.close)

    asyncio.run(main())


async def ask_behind(batcher: Batcher, kind: Doubling, asked: list[int]) -> list[Any]:
    """Ask 1, and everything else while that is being answered."""
    first = asyncio.create_task(batcher.ask(kind, 1))
    while batcher._waiting or not batcher._thread:
        await asyncio.sleep(0.001)
    others = [asyncio.create_task(batcher.ask(kind, each)) for each in asked]
    await asyncio.sleep(0)
    kind.go.set()
    assert await first == 2
    return await asyncio.gather(*others, return_exceptions=True)


def test_what_comes_while_a_batch_runs_is_the_next_batch() -> None:
    async def scenario(batcher: Batcher) -> None:
        kind = Doubling()
        asked = [*range(20, 70)]
        assert await ask_behind(batcher, kind, asked) == [2 * each for each in asked]
        assert kind.batches == [[1], asked]
        assert len(kind.threads) == 1

    run(scenario)


@pytest.mark.parametrize(
    ("asked", "batches"),
    [
        ([2, 3, 4, 5, 6], [[2, 3, 4], [5, 6]]),
        ([2000, 2, 3], [[2000, 2], [3]]),
        ([9000, 2], [[9000], [2]]),
        ([2, 9000, 3], [[2], [9000], [3]]),
    ],
)
def test_a_batch_costs_no_more_than_its_kind_allows(
    asked: list[int], batches: list[list[int]]
) -> None:
    async def scenario(batcher: Batcher) -> None:
        kind = Doubling(most=3)
        assert await ask_behind(batcher, kind, asked) == [2 * each for each in asked]
        assert kind.batches == [[1], *batches]

    run(scenario)


def test_an_error_is_told_to_the_one_who_asked_for_it() -> None:
    async def scenario(batcher: Batcher) -> None:
        found = await ask_behind(batcher, Doubling(), [5, 13, 6])
        assert (found[0], found[2]) == (10, 12)
        assert isinstance(found[1], ValueError)

    run(scenario)


def test_a_batch_that_fails_is_told_to_all_and_the_next_one_is_answered() -> None:
    async def scenario(batcher: Batcher) -> None:
        kind = Doubling()
        found = await ask_behind(batcher, kind, [5, 666])
        assert all(isinstance(each, RuntimeError) for each in found)
        assert await batcher.ask(kind, 7) == 14

    run(scenario)


def test_kinds_do_not_mix_and_the_oldest_goes_first() -> None:
    async def scenario(batcher: Batcher) -> None:
        one, other = Doubling(), Doubling()
        other.go.set()
        first = asyncio.create_task(batcher.ask(one, 1))
        while batcher._waiting or not batcher._thread:
            await asyncio.sleep(0.001)
        asked = [(other, 2), (one, 3), (other, 4), (one, 5)]
        tasks = [asyncio.create_task(batcher.ask(kind, each)) for kind, each in asked]
        await asyncio.sleep(0)
        one.go.set()
        assert [await task for task in (first, *tasks)] == [2, 4, 6, 8, 10]
        assert (one.batches, other.batches) == ([[1], [3, 5]], [[2, 4]])

    run(scenario)


def test_who_is_cancelled_is_left_out() -> None:
    async def scenario(batcher: Batcher) -> None:
        kind = Doubling()
        first = asyncio.create_task(batcher.ask(kind, 1))
        while batcher._waiting or not batcher._thread:
            await asyncio.sleep(0.001)
        tasks = [asyncio.create_task(batcher.ask(kind, each)) for each in (2, 3, 4)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
        kind.go.set()
        assert [await task for task in (first, tasks[0], tasks[2])] == [2, 4, 8]
        assert kind.batches == [[1], [2, 4]]

    run(scenario)


def test_closing_answers_what_waits() -> None:
    async def scenario(batcher: Batcher) -> None:
        kind = Doubling()
        tasks = [asyncio.create_task(batcher.ask(kind, each)) for each in range(5)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(batcher.close))
        await asyncio.sleep(0.05)
        kind.go.set()
        await closing
        assert [await task for task in tasks] == [0, 2, 4, 6, 8]
        assert batcher._thread is None

    run(scenario)


def test_an_idle_thread_ends_and_another_one_begins(monkeypatch: Any) -> None:
    monkeypatch.setattr(batching, "IDLE_SECONDS", 0.01)

    async def scenario(batcher: Batcher) -> None:
        kind = Doubling()
        kind.go.set()
        for number in range(3):
            assert await batcher.ask(kind, number) == 2 * number
            while batcher._thread is not None:
                await asyncio.sleep(0.005)

    run(scenario)


def test_those_who_ask_again_are_waited_for(monkeypatch: Any) -> None:
    monkeypatch.setattr(batching, "MOST_SECONDS", 10.0)
    monkeypatch.setattr(batching, "SHARE_FOR_NOTHING", 1.0)

    class Slow(Doubling):
        def answer(self, questions: Sequence[int]) -> list[int | Exception]:
            time.sleep(0.3)
            return super().answer(questions)

    async def scenario(batcher: Batcher) -> None:
        kind = Slow()
        kind.go.set()

        async def client(number: int) -> None:
            for turn in range(4):
                asked = 100 * turn + number
                assert await batcher.ask(kind, asked) == 2 * asked
                await asyncio.sleep(0.001 * number)

        await asyncio.gather(*(client(number) for number in range(20, 30)))
        # Some were the first batch, and so are among the next ones too.
        assert [len(batch) for batch in kind.batches][1:3] == [10, 10]

    run(scenario)


def test_who_does_not_ask_again_is_not_waited_for_long() -> None:
    async def scenario(batcher: Batcher) -> None:
        kind = Doubling()
        await ask_behind(batcher, kind, [2, 3, 4])
        assert [await batcher.ask(kind, each) for each in (5, 6, 7)] == [10, 12, 14]
        assert kind.batches[-3:] == [[5], [6], [7]]

    run(scenario)


def test_questions_of_several_loops_are_answered_in_theirs() -> None:
    batcher, kind, found = Batcher(100), Doubling(), []
    kind.go.set()

    def ask(number: int) -> None:
        found.append(asyncio.run(batcher.ask(kind, number)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batcher.close()
    assert sorted(found) == [2 * number for number in range(8)]


def gathered(model: Any, requests: list[tuple[str, Any]]) -> list[Any]:
    """The answers to requests that are all sent at once."""

    async def ask() -> list[Any]:
        transport = httpx.ASGITransport(create_app(model))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            sent = [client.post(path, json=asked) for path, asked in requests]
            return [answer.json() for answer in await asyncio.gather(*sent)]

    return asyncio.run(ask())


def test_mixed_requests_have_the_answers_that_each_has_alone(vectors: Vectors) -> None:
    requests: list[tuple[str, Any]] = [
        ("/neighbors", {"words": ["king"], "k": 1}),
        ("/neighbors", {"words": ["queen", "man"], "k": 200}),
        ("/analogy", {"formula": "king - man + woman", "k": 3}),
        ("/neighbors", {"words": ["king", "pear"]}),
        ("/embed", {"words": ["boy"]}),
        ("/analogy", {"formula": "queen - king", "k": 50}),
        ("/neighbors", {"words": ["broken"]}),
        ("/neighbors", {"words": ["king"], "k": 5}),
        ("/analogy", {"formula": "king"}),
    ]
    alone = [gathered(vectors, [request])[0] for request in requests]
    assert gathered(vectors, requests * 5) == alone * 5


def test_texts_of_several_requests_are_classified_in_one_call(
    classifier: TextClassifier, monkeypatch: Any
) -> None:
    texts = ["good fun", "bad soup", "a great time", "awful film"] * 5
    expected = classifier.predict(texts).tolist()
    sizes = []
    predict_proba = TextClassifier.predict_proba

    def counted(self: TextClassifier, given: Any) -> Any:
        sizes.append(len(given))
        return predict_proba(self, given)

    monkeypatch.setattr(TextClassifier, "predict_proba", counted)
    answers = gathered(classifier, [("/predict", {"texts": [text]}) for text in texts])
    assert [answer["predictions"][0]["label"] for answer in answers] == expected
    assert sum(sizes) == 20
    assert len(sizes) < 5
