"""What a name says of what an object was made of (ERA-12, line 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.storage.derivatives import DERIVED, is_made_of, made_of


@pytest.mark.parametrize("name", ["call.wav.json", "call.wav.nl.vtt", "call.wav.TXT", "call.wav.thumb.jpg"])
def test_transcripts_indexes_and_thumbnails_go_with_the_recording(name: str) -> None:
    assert is_made_of(name, "call.wav")


@pytest.mark.parametrize(
    "name", ["call.wav", "call.txt", "call.wav2.json", "call.wav.mp3", "my-call.wav.json", "call.wavjson", "x/call.wav.json"]
)
def test_what_may_be_another_recording_stays(name: str) -> None:
    """Another stem, another kind of recording, another folder; `call.txt` may be a chat of its own."""
    assert not is_made_of(name, "call.wav")


def test_a_name_without_an_ending_owns_nothing() -> None:
    assert not is_made_of("call.json", "call")
    assert not is_made_of("2026/call.json", "2026/call")


@given(st.text("ab./", max_size=12), st.sampled_from(sorted(DERIVED)))
def test_what_something_was_made_of_is_always_shorter_and_in_its_folder(stem: str, ending: str) -> None:
    name = f"{stem}.{ending}"
    for original in made_of(name):
        assert len(original) < len(name)
        assert name.startswith(f"{original}.")
        assert original.rpartition("/")[0] == name.rpartition("/")[0]
