"""The syntax tree of a compiled condition, decoded from the bytes that the CEL library serialises.

The library offers no tree, only `cel.expr.CheckedExpr` in protobuf wire format; the few fields needed here
are read directly. Field numbers: https://github.com/google/cel-spec, proto/cel/expr/{checked,syntax}.proto.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

_Value = int | bytes

_ANY_VALUE = 2
_CHECKED_SOURCE, _CHECKED_EXPR = 5, 4
_SOURCE_POSITIONS = 4
_EXPR_ID, _EXPR_CONST, _EXPR_IDENT, _EXPR_SELECT, _EXPR_CALL, _EXPR_LIST = 2, 3, 4, 5, 6, 7
_EXPR_COMPREHENSION = 9
_CONST_TEXT = 6
_CALL_TARGET, _CALL_FUNCTION, _CALL_ARGUMENT = 1, 2, 3


class NodeKind(Enum):
    """What a node of the tree is."""

    NAME = auto()
    TEXT = auto()
    CALL = auto()
    LIST = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node; `text` is a variable's name, a literal text, or a function's name."""

    kind: NodeKind
    text: str
    offset: int
    """Position in the expression: of the first character, or of the operator of a call."""
    children: tuple["Node", ...] = ()
    """For a method call the object comes first."""

    def walk(self) -> Iterator["Node"]:
        """Yield this node and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def decode_tree(serialized: bytes) -> Node:
    """Return the tree of `cel.Expression.serialize()`."""
    checked = _only(serialized, _ANY_VALUE)
    positions: dict[int, int] = {}
    for number, value in _fields(_only(checked, _CHECKED_SOURCE)):
        if number == _SOURCE_POSITIONS and isinstance(value, bytes):
            entry = dict(_fields(value))
            positions[_int(entry.get(1, 0))] = _int(entry.get(2, 0))
    return _node(_only(checked, _CHECKED_EXPR), positions)


def _node(expr: bytes, positions: dict[int, int]) -> Node:
    offset, kind, text, parts = 0, NodeKind.OTHER, "", list[bytes]()
    for number, value in _fields(expr):
        if number == _EXPR_ID:
            offset = positions.get(_int(value), 0)
        elif not isinstance(value, bytes):
            continue
        elif number == _EXPR_CONST:
            kind, text = _constant(value)
        elif number == _EXPR_IDENT:
            kind, text = NodeKind.NAME, _only(value, 1).decode()
            offset -= max(text.rfind("."), 0)  # the library gives the last dot of a dotted name
        elif number == _EXPR_CALL:
            kind, text = NodeKind.CALL, _only(value, _CALL_FUNCTION).decode()
            parts = _all(value, _CALL_TARGET) + _all(value, _CALL_ARGUMENT)
        elif number == _EXPR_LIST:
            kind, parts = NodeKind.LIST, _all(value, 1)
        elif number == _EXPR_SELECT:
            parts = _all(value, 1)
        elif number == _EXPR_COMPREHENSION:
            parts = [part for field in (2, 4, 5, 6, 7) for part in _all(value, field)]
    children = tuple(_node(part, positions) for part in parts)
    return Node(kind=kind, text=text, offset=offset, children=children)


def _constant(value: bytes) -> tuple[NodeKind, str]:
    texts = _all(value, _CONST_TEXT)
    return (NodeKind.TEXT, texts[0].decode()) if texts else (NodeKind.OTHER, "")


def _only(message: bytes, field: int) -> bytes:
    """Return a bytes field, empty when it is absent."""
    return next(iter(_all(message, field)), b"")


def _all(message: bytes, field: int) -> list[bytes]:
    return [value for number, value in _fields(message) if number == field and isinstance(value, bytes)]


def _int(value: _Value) -> int:
    return value if isinstance(value, int) else 0


def _fields(message: bytes) -> Iterator[tuple[int, _Value]]:
    """Yield (field number, value) of one protobuf message; fixed-width numbers come as bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == 2:  # noqa: PLR2004  # wire types: 0 varint, 1 eight bytes, 2 length first, 5 four bytes
            length, at = _varint(message, at)
        else:
            length = 8 if wire == 1 else 4
        yield number, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004  # the high bit says that more bytes follow
            return value, at
