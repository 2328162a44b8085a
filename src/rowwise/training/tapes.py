"""What layers talk to when a training step looks up rows for them.

A step goes through the model up to three times, always in the same order: without computing, to
learn what is looked up (``SurveyTape``); to get the ids alone (``IdsTape``); and to compute and
differentiate, with the rows at hand (``RowsTape``). Where it can do the last two in one, it finds
rows as they are asked for (``AtOnceTape``).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rowwise.backend import keras, rows

ops = keras.ops


@dataclass(frozen=True)
class InvalidIds:
    """Where a layer found ids without a row."""

    layer: Any
    ids: Any
    wrong: Any


@dataclass
class Lookups:
    """What a pass through the model looked up, in order."""

    variables: list[Any] = field(default_factory=list)
    ids: list[Any] = field(default_factory=list)
    reduced: list[bool] = field(default_factory=list)
    """Whether a lookup's rows are summed by weights."""
    weights: list[Any] = field(default_factory=list)
    """The weights of those."""
    invalid: list[InvalidIds] = field(default_factory=list)


class EnoughSeen(BaseException):
    """Ends a pass after its last lookup; not an Exception, for those are rewritten on the way."""


class UnknownLookup(BaseException):
    """Ends a pass at a lookup that other batches of this shape did not make.

    Not an Exception, for those are rewritten on the way.
    """

    def __init__(self) -> None:
        super().__init__("The model looks up rows that it did not for other batches of this shape.")


class _Tape(ABC):
    """Common to all: the tables whose lookups are taken, and what was looked up.

    Args:
        tables: the variables.
        hidden: layers inside functions that no value may leave: they check their ids by themselves.
    """

    def __init__(self, tables: list[Any], hidden: list[Any]) -> None:
        self._tables = {id(variable) for variable in tables}
        self._hidden = {id(layer) for layer in hidden}
        self.seen = Lookups()

    def notes(self, layer: Any) -> bool:
        return id(layer) not in self._hidden

    def takes(self, variable: Any) -> bool:
        return id(variable) in self._tables

    def note_invalid(self, layer: Any, ids: Any, wrong: Any) -> bool:
        assert rows is not None
        if 0 in ids.shape or rows.all_known_false(wrong):
            return False
        self.seen.invalid.append(InvalidIds(layer, ids, wrong))
        return True

    def rows(self, variable: Any, ids: Any) -> Any:
        self._see(variable, ids, reduced=False)
        return self._found(variable, ids)

    def reduced(self, variable: Any, ids: Any, weights: Any) -> Any:
        self._see(variable, ids, reduced=True)
        self.seen.weights.append(weights)
        return self._found_sums(variable, ids, weights)

    def _see(self, variable: Any, ids: Any, reduced: bool) -> None:
        self.seen.variables.append(variable)
        self.seen.ids.append(ids)
        self.seen.reduced.append(reduced)

    @abstractmethod
    def _found(self, variable: Any, ids: Any) -> Any:
        """What a lookup is answered with."""

    def _found_sums(self, variable: Any, ids: Any, weights: Any) -> Any:
        found = self._found(variable, ids)
        return ops.sum(found * ops.expand_dims(weights, -1), axis=-2)


class SurveyTape(_Tape):
    """Answers with zeros of the right shape."""

    def _found(self, variable: Any, ids: Any) -> Any:
        return ops.zeros((*ids.shape, variable.shape[1]), variable.dtype)


class IdsTape(_Tape):
    """Answers with rows as they are now, which the compiler leaves out where no ids need them.

    Args:
        tables: as for every tape.
        hidden: as for every tape.
        look_up: gives rows for a variable and ids.
        count: how many lookups there are.
    """

    def __init__(self, tables: list[Any], hidden: list[Any], look_up: Any, count: int) -> None:
        super().__init__(tables, hidden)
        self._look_up, self._count = look_up, count

    def _found(self, variable: Any, ids: Any) -> Any:
        if len(self.seen.ids) == self._count:
            raise EnoughSeen
        return self._look_up(variable, ids)


class RowsTape(_Tape):
    """Answers with rows that were looked up before, which the step differentiates.

    Sums of rows are computed here, and get something zero added that is differentiated.

    Args:
        tables: as for every tape.
        hidden: as for every tape.
        found: for each lookup its rows, or the zeros to add to its sums (texts, columns).
        reduce: for each lookup a function that gives its sums, of ids and weights (texts, length).
    """

    def __init__(
        self, tables: list[Any], hidden: list[Any], found: list[Any], reduce: list[Any]
    ) -> None:
        super().__init__(tables, hidden)
        self._answers = zip(found, reduce, strict=True)

    def _found(self, variable: Any, ids: Any) -> Any:
        return self._next()[0]

    def _found_sums(self, variable: Any, ids: Any, weights: Any) -> Any:
        zeros, reduce = self._next()
        return _of_texts(lambda ids, weights: reduce(ids, weights) + zeros, variable, ids, weights)

    def _next(self) -> Any:
        answer = next(self._answers, None)
        if answer is None:
            raise UnknownLookup
        return answer


class AtOnceTape(_Tape):
    """Answers with rows that are found now, which the step differentiates.

    Args:
        tables: as for every tape.
        hidden: as for every tape.
        find: gives, for a variable and ids, the ``TableStep`` and its ``Distinct`` rows.
        watched: gives a tensor as one that is differentiated.
    """

    def __init__(
        self,
        tables: list[Any],
        hidden: list[Any],
        find: Callable[[Any, Any], Any],
        watched: Callable[[Any], Any],
    ) -> None:
        super().__init__(tables, hidden)
        self._find, self._watched = find, watched

    def _found(self, variable: Any, ids: Any) -> Any:
        table, wanted = self._find(variable, ids)
        places = ops.reshape(wanted.places, ids.shape)
        return self._watched(table.take_rows(None, ids, wanted, places))

    def _found_sums(self, variable: Any, ids: Any, weights: Any) -> Any:
        table, wanted = self._find(variable, ids)

        def reduce(ids: Any, weights: Any) -> Any:
            return self._watched(table.reduce_rows(None, wanted, wanted.places, ids, weights))

        return _of_texts(reduce, variable, ids, weights)


def _of_texts(reduce: Callable[[Any, Any], Any], variable: Any, ids: Any, weights: Any) -> Any:
    """What ``reduce`` gives for ids and weights (texts, length), for these (..., length)."""
    if len(ids.shape) == 2:
        return reduce(ids, weights)
    flat = (-1, ids.shape[-1])
    sums = reduce(ops.reshape(ids, flat), ops.reshape(weights, flat))
    return ops.reshape(sums, (*ids.shape[:-1], variable.shape[1]))


def same_ids(first: list[Any], second: list[Any]) -> Any:
    """Whether two passes looked up the same ids; a boolean scalar."""
    equal = ops.ones((), dtype="bool")
    for one, other in zip(first, second, strict=True):
        equal = ops.logical_and(equal, ops.all(ops.equal(one, other)))
    return equal
