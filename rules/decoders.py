"""The decoder of a type. msgspec works out what a struct is made of when it first meets it, and shows others
what it has by then: a thread that decodes with half a struct reads memory that is not there, and the process
dies. So decoders are made here, one at a time, and no thread meets a type that is not whole."""

from functools import lru_cache
from threading import Lock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_making = Lock()


def decoder_of(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Return the decoder of JSON into a type. It is made the first time and shared by all threads, which may
    use it at once."""
    return _decoder_of(kind)  # type: ignore[arg-type]


def msgpack_decoder_of(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """Return the decoder of MessagePack into a type, as `decoder_of`."""
    return _msgpack_decoder_of(kind)  # type: ignore[arg-type]


def converted(value: object, kind: type[T]) -> T:
    """Return what plain values, as JSON has them, are as a type. Raises msgspec.ValidationError: they are no
    such thing."""
    decoder_of(kind)  # the type is whole now
    return msgspec.convert(value, kind)


@lru_cache(maxsize=1024)  # structs of pages are made again for each mapping: those that are over can go
def _decoder_of(kind: Any) -> msgspec.json.Decoder[Any]:
    with _making:
        return msgspec.json.Decoder(kind)


@lru_cache(maxsize=1024)
def _msgpack_decoder_of(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    with _making:
        return msgspec.msgpack.Decoder(kind)
