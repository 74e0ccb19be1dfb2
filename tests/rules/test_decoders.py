"""The decoder of a type: one for all threads, and values that are none of its kind."""

from __future__ import annotations

from threading import Barrier, Thread

import msgspec
import pytest

from rules.decoders import converted, decoder_of


class _Part(msgspec.Struct):
    name: str


class _Whole(msgspec.Struct):
    parts: list[_Part]


def test_all_threads_share_one_decoder() -> None:
    barrier, found = Barrier(4), []

    def ask() -> None:
        barrier.wait()
        found.append(decoder_of(_Whole))

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.decode(b'{"parts":[{"name":"a"}]}') for each in found] == [_Whole([_Part("a")])] * 4
    assert decoder_of(_Whole) is decoder_of(_Whole)


def test_values_become_a_type_or_are_refused() -> None:
    assert converted({"parts": [{"name": "a"}]}, _Whole) == _Whole([_Part("a")])
    assert converted([{"name": "a"}], list[_Part]) == [_Part("a")]
    with pytest.raises(msgspec.ValidationError):
        converted({"parts": [{}]}, _Whole)
