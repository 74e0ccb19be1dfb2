"""Which objects were made of another one: transcripts, indexes, thumbnails (ERA-12, line 6).

Only a name shows it. `call.wav.json` was made of `call.wav`; `call.txt` may be another recording's, so it
stays. Taking too little leaves an object without a row, which the orphan hunt finds; taking too much would
destroy what somebody may still need."""

from collections.abc import Iterator

# The kinds of content that are made of a recording; never a kind that may be a recording itself.
DERIVED = frozenset(
    {"json", "jsonl", "txt", "vtt", "srt", "ttml", "xml", "csv", "html", "md"}  # transcripts and what was recognised in them
    | {"idx", "index", "peaks", "waveform"}
    | {"png", "jpg", "jpeg", "gif", "webp", "svg"}
    | {"md5", "sha1", "sha256", "sha512", "etag", "meta"}
)


def made_of(name: str) -> Iterator[str]:
    """Yield the names of the objects that this name says it was made of, longest first: `a.wav` for
    `a.wav.nl.vtt`. A name without an ending owns nothing: beside `call` a `call.txt` may well be a recording
    of its own."""
    folder, slash, file = name.rpartition("/")
    *parts, ending = file.split(".")
    if ending.lower() not in DERIVED:
        return
    for length in range(len(parts), 1, -1):
        if all(parts[:length]):
            yield f"{folder}{slash}{'.'.join(parts[:length])}"


def is_made_of(name: str, original: str) -> bool:
    """Return whether a name says that the object was made of `original`."""
    return original in made_of(name)
