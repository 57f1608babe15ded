"""JSON from an engine into typed values: in one go where it is right, field by field where it is not."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import TypeVar, cast

import msgspec
from msgspec import Raw, Struct

from backend.errors import ProtocolError

T = TypeVar("T")
S = TypeVar("S", bound=Struct)
JSON_CAP = 64 * 1024 * 1024
LINE_CAP = 1024 * 1024
_WRONG = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


def decode(data: bytes | Raw, type_: type[T], what: str) -> T:
    """`data` as a `type_`. Raises ProtocolError, also for JSON that is nested too deep."""
    try:
        return msgspec.json.decode(data, type=type_)
    except _WRONG as error:
        raise ProtocolError(what, f"not the JSON that was promised ({error})") from error


def decode_loosely(data: bytes, type_: type[S], what: str) -> S:
    """`data` as a Struct; a field of the wrong type gets its default. Raises ProtocolError when it is no object."""
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.ValidationError:
        return _by_field(data, type_, what)
    except _WRONG as error:
        raise ProtocolError(what, f"not the JSON that was promised ({error})") from error


def decode_rows(data: bytes, type_: type[S], what: str, known: Callable[[S], object]) -> tuple[S, ...]:
    """A JSON array of Structs. A row that is wrong keeps its good fields; it goes if `known(row)` finds nothing."""
    try:
        return cast("tuple[S, ...]", msgspec.json.decode(data, type=tuple[type_, ...]))  # type: ignore[valid-type]
    except msgspec.ValidationError:
        pass
    except _WRONG as error:
        raise ProtocolError(what, f"not the JSON that was promised ({error})") from error
    found = []
    for raw in decode(data, list[Raw] | None, what) or ():  # type: ignore[arg-type]
        try:
            row = decode_loosely(bytes(raw), type_, what)
        except ProtocolError:
            continue
        if known(row):
            found.append(row)
    return tuple(found)


def _by_field(data: bytes, type_: type[S], what: str) -> S:
    fields = decode(data, dict[str, Raw], what)
    values: dict[str, object] = {}
    for known in msgspec.structs.fields(type_):
        if (raw := fields.get(known.encode_name)) is not None:
            try:
                values[known.name] = _field(bytes(raw), known.type, what)
            except (ProtocolError, *_WRONG):
                continue
    return type_(**values)


def _field(data: bytes, type_: object, what: str) -> object:
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.ValidationError:
        if isinstance(inner := _struct_in(type_), type) and data.lstrip()[:1] == b"{":
            return _by_field(data, inner, what)
        if (row := _row_of(type_)) is not None and data.lstrip()[:1] == b"[":
            return decode_rows(data, row, what, lambda _: True)
        raise


def _struct_in(type_: object) -> type[Struct] | None:
    """The Struct that a field may hold: `S` or `S | None`."""
    options = typing.get_args(type_) if isinstance(type_, types.UnionType) else (type_,)
    return next((o for o in options if isinstance(o, type) and issubclass(o, Struct)), None)


def _row_of(type_: object) -> type[Struct] | None:
    """The Struct whose rows a field holds: `tuple[S, ...]`, also with None."""
    options = typing.get_args(type_) if isinstance(type_, types.UnionType) else (type_,)
    for option in options:
        if typing.get_origin(option) is tuple and (rows := typing.get_args(option)):
            return _struct_in(rows[0])
    return None
