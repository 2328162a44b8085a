"""Reading a pickle as data: its instructions are followed here, and none of them can run a program.

The instructions are those of protocols 2 to 5 (PEP 3154, PEP 574, and the module ``pickletools``).
They put values on a stack, and remember some of them by numbers. Names stand for what
``pickle_values`` has for them. What is made takes a small multiple of the file's memory.
"""

import pickle
from collections.abc import Callable
from struct import unpack_from
from typing import Any

from rowwise.errors import DataFileError
from rowwise.vectors.formats.pickle_values import (
    Array,
    Attributes,
    Dtype,
    Maker,
    as_key,
    named,
)

# A module and a name.
_LONGEST_NAME = 512


def load(data: memoryview, name: str) -> Any:
    """The object in a pickle, its arrays not copied out of ``data`` where they may stay there.

    Raises:
        DataFileError: one that holds anything not on the list, or is damaged.
    """
    try:
        return _Reading(data).result()
    except Exception as error:  # a pickle is a program, which may fail in any way
        raise DataFileError(f"{name!r} cannot be unpickled safely: {error}.") from error


class _Reading:
    """A pickle that is being read: the stack, where its marks are, and what is remembered."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._at = data, 0
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        # What calls may copy together: of what they copy each byte was there for one of them.
        self._left = _COPIES * len(data)

    def result(self) -> Any:
        """Follow the instructions up to the last, which says that the value is on the stack."""
        data, stack, memo = self._data, self._stack, self._memo
        follow = {code[0]: method.__get__(self) for code, method in _INSTRUCTIONS.items()}
        while True:
            code = data[self._at]
            self._at += 1
            if code == _MEMOIZE:
                memo[len(memo)] = stack[-1]
            elif code == _SHORT_TEXT:
                start = self._at + 1
                self._at = start + data[start - 1]
                stack.append(str(data[start : self._at], "utf-8", "surrogatepass"))
            elif code == _STOP:
                return stack.pop()
            elif code in follow:
                follow[code]()
            else:
                raise ValueError(f"the instruction {bytes([code])!r} is not known")

    def _number(self, layout: str, size: int) -> Any:
        self._at += size
        return unpack_from(layout, self._data, self._at - size)[0]

    def _bytes(self, layout: str, size: int) -> memoryview:
        """As many bytes as the number in front of them says."""
        length = self._number(layout, size)
        start = self._at
        if not 0 <= length <= len(self._data) - start:
            raise ValueError("it is cut short")
        self._at = start + length
        return self._data[start : self._at]

    def _push_number(self, layout: str, size: int) -> None:
        self._stack.append(self._number(layout, size))

    def _push_long(self, layout: str, size: int) -> None:
        written = self._bytes(layout, size)
        self._stack.append(int.from_bytes(written, "little", signed=True))

    def _push_text(self, layout: str, size: int) -> None:
        self._stack.append(str(self._bytes(layout, size), "utf-8", "surrogatepass"))

    def _push_bytes(self) -> None:
        self._stack.append(bytes(self._bytes("<B", 1)))

    def _push_view(self, layout: str, size: int) -> None:
        self._stack.append(self._bytes(layout, size))

    def _skip(self, size: int) -> None:
        self._at += size

    def _mark(self) -> None:
        self._marks.append(len(self._stack))

    def _since_mark(self) -> list[Any]:
        """Take what was put on the stack since the last mark."""
        mark = self._marks.pop()
        items = self._stack[mark:]
        del self._stack[mark:]
        return items

    def _tuple(self, count: int) -> None:
        if len(self._stack) < count:
            raise ValueError("it takes more than there is")
        items = tuple(self._stack[-count:])
        self._stack[-count:] = [items]

    def _put(self, layout: str, size: int) -> None:
        self._memo[self._number(layout, size)] = self._stack[-1]

    def _get(self, layout: str, size: int) -> None:
        self._stack.append(self._memo[self._number(layout, size)])

    def _append(self, items: list[Any]) -> None:
        _of_type(self._stack[-1], list).extend(items)

    def _set_items(self, items: list[Any]) -> None:
        mapping = _of_type(self._stack[-1], dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            mapping[as_key(key)] = value

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set_items([key, value])

    def _add_items(self) -> None:
        items = self._since_mark()
        _of_type(self._stack[-1], set).update(map(as_key, items))

    def _global(self) -> None:
        written = bytes(self._data[self._at : self._at + _LONGEST_NAME]).split(b"\n", 2)
        if len(written) < 3:
            raise ValueError("a name that does not end")
        self._at += len(written[0]) + len(written[1]) + 2
        self._stack.append(named(written[0].decode(), written[1].decode()))

    def _stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._stack.append(named(_of_type(module, str), _of_type(name, str)))

    def _call(self, arguments: Any) -> None:
        maker = self._stack.pop()
        if not isinstance(maker, Maker):
            raise ValueError("it calls what is no function")
        arguments = _of_type(arguments, tuple)
        self._spend(arguments)
        self._stack.append(maker.make(*arguments))

    def _call_named(self) -> None:
        del self._stack[-1]  # arguments by name, which objects of gensim have no need of
        self._call(self._stack.pop())

    def _build(self) -> None:
        state = self._stack.pop()
        made = self._stack[-1]
        if not isinstance(made, Attributes | Array | Dtype):
            raise ValueError("it sets attributes of what has none")
        self._spend(state if isinstance(state, tuple) else (state,))
        made.set_state(state)

    def _spend(self, values: tuple[Any, ...]) -> None:
        """Count what is copied: the same long value, given to many calls, would be as often."""
        for one in values:
            if isinstance(one, str | bytes | memoryview):
                self._left -= len(one)
            elif isinstance(one, list | tuple | dict | set):
                self._left -= _SIZE * len(one)
        if self._left < 0:
            raise ValueError("it makes more than it holds")


def _of_type(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"a {type(value).__name__} where a {kind.__name__} was expected")
    return value


# Bytes in memory, at least, of a value in a list.
_SIZE = 8
# Protocol 2 has bytes as a text, which is encoded first and made an array of then.
_COPIES = 4
_MEMOIZE, _SHORT_TEXT, _STOP = pickle.MEMOIZE[0], pickle.SHORT_BINUNICODE[0], pickle.STOP[0]
_INSTRUCTIONS: dict[bytes, Callable[[_Reading], None]] = {
    pickle.PROTO: lambda self: self._skip(1),
    pickle.FRAME: lambda self: self._skip(8),
    pickle.NONE: lambda self: self._stack.append(None),
    pickle.NEWTRUE: lambda self: self._stack.append(True),
    pickle.NEWFALSE: lambda self: self._stack.append(False),
    pickle.BININT: lambda self: self._push_number("<i", 4),
    pickle.BININT1: lambda self: self._push_number("<B", 1),
    pickle.BININT2: lambda self: self._push_number("<H", 2),
    pickle.LONG1: lambda self: self._push_long("<B", 1),
    pickle.LONG4: lambda self: self._push_long("<i", 4),
    pickle.BINFLOAT: lambda self: self._push_number(">d", 8),
    pickle.BINUNICODE: lambda self: self._push_text("<I", 4),
    pickle.BINUNICODE8: lambda self: self._push_text("<Q", 8),
    pickle.SHORT_BINBYTES: _Reading._push_bytes,
    pickle.BINBYTES: lambda self: self._push_view("<I", 4),
    pickle.BINBYTES8: lambda self: self._push_view("<Q", 8),
    pickle.BYTEARRAY8: lambda self: self._push_view("<Q", 8),
    pickle.MARK: _Reading._mark,
    pickle.POP: lambda self: self._stack.__delitem__(-1),
    pickle.POP_MARK: lambda self: self._since_mark().clear(),
    pickle.EMPTY_TUPLE: lambda self: self._stack.append(()),
    pickle.TUPLE1: lambda self: self._tuple(1),
    pickle.TUPLE2: lambda self: self._tuple(2),
    pickle.TUPLE3: lambda self: self._tuple(3),
    pickle.TUPLE: lambda self: self._stack.append(tuple(self._since_mark())),
    pickle.EMPTY_LIST: lambda self: self._stack.append([]),
    pickle.APPEND: lambda self: self._append([self._stack.pop()]),
    pickle.APPENDS: lambda self: self._append(self._since_mark()),
    pickle.EMPTY_DICT: lambda self: self._stack.append({}),
    pickle.SETITEM: _Reading._set_item,
    pickle.SETITEMS: lambda self: self._set_items(self._since_mark()),
    pickle.EMPTY_SET: lambda self: self._stack.append(set()),
    pickle.ADDITEMS: _Reading._add_items,
    pickle.FROZENSET: lambda self: self._stack.append(set(map(as_key, self._since_mark()))),
    pickle.BINPUT: lambda self: self._put("<B", 1),
    pickle.LONG_BINPUT: lambda self: self._put("<I", 4),
    pickle.BINGET: lambda self: self._get("<B", 1),
    pickle.LONG_BINGET: lambda self: self._get("<I", 4),
    pickle.GLOBAL: _Reading._global,
    pickle.STACK_GLOBAL: _Reading._stack_global,
    pickle.REDUCE: lambda self: self._call(self._stack.pop()),
    pickle.NEWOBJ: lambda self: self._call(self._stack.pop()),
    pickle.NEWOBJ_EX: _Reading._call_named,
    pickle.BUILD: _Reading._build,
}
