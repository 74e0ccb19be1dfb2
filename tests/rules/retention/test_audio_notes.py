"""An audio file attached to a fiche is a recording (RET-05); no other note is taken for one."""

import pytest

from rules.model.records import Note
from rules.retention.audio_notes import is_audio


@pytest.mark.parametrize(
    ("note", "is_recording"),
    [
        (Note(id="1", is_document=True, media_type="audio/mpeg"), True),
        (Note(id="2", is_document=True, media_type="AUDIO/WAV"), True),
        (Note(id="3", is_document=True, media_type="application/pdf"), False),
        (Note(id="4", is_document=True, media_type=None), False),
        (Note(id="5", is_document=False, media_type="audio/mpeg"), False),
        (Note(id="6", is_document=None, media_type="audio/mpeg"), False),
    ],
)
def test_a_file_of_a_media_type_of_the_mapping_is_a_recording(note: Note, is_recording: bool) -> None:
    assert is_audio(note, ("audio/*",)) is is_recording


def test_parameters_behind_a_media_type_make_it_no_other_one() -> None:
    note = Note(id="1", is_document=True, media_type="audio/mpeg; codecs=mp3")
    assert is_audio(note, ("audio/mpeg",))


def test_which_media_types_count_is_for_the_mapping_to_say() -> None:
    video = Note(id="1", is_document=True, media_type="video/mp4")
    assert is_audio(video, ("audio/*", "video/mp4"))
    assert not is_audio(video, ())
