"""A text as a person reads it: the one place where disguises are removed, for search, redaction and the leak
check alike.

Character references however often they were escaped, percent signs of addresses, escapes of JSON, of e-mail
and of rich text, tags and comments inside words, what turns the direction of reading, what cannot be seen,
UTF-8 that was taken for Western text (`NoÃ«l`), and letters of another alphabet that look like ours. What
comes out is the text that is searched, redacted and shown: a place in it is a place in what is sent. Source:
EXP-06, EXP-19; IDN-13."""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterator
from typing import Final

from rules.texts.markup import Tag, Words, goes_on, has_markup, tokens_read, unescaped

_MOST_ROUNDS: Final = 8  # one disguise inside another
_MOST_ENCODED: Final = 3  # one encoding inside another
_DISGUISED: Final = re.compile(r"[&%<\\=]|[^\x00-\x7f]")

_AMPERSANDS: Final = re.compile(r"&(?:amp;|#0*38;|#[xX]0*26;)+(?=[#a-zA-Z])")
_REFERENCE: Final = re.compile(
    r"&(?:#0*+[0-9]{1,7};|#[xX]0*+[0-9a-fA-F]{1,6};|[a-zA-Z][a-zA-Z0-9]{1,31};|#[0-9]{2,7}(?![0-9])|#[xX][0-9a-fA-F]{2,5}(?![0-9a-fA-F]))"
)
# What begins anywhere in a run of letters would be tried at every one of them: the cost of a long run would
# be its square.
_PERCENT_TOKEN: Final = re.compile(r"(?<!\S)[^\s%]*+(?:%[^\s%]*+)++")
_BYTE: Final = re.compile(r"%[0-9a-fA-F]{2}")
_OF_ADDRESS: Final = re.compile(r"%40(?:(?:[\w-]|%2[dD]){1,63}+(?:\.|%2[eE])){1,8}[^\W\d_]{2}")  # 88%401und1.de
_ENCODED_FROM: Final = 3  # bytes in a word: fewer may be percentages
_PERCENT: Final = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_CODE_UNITS: Final = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
# Of rich text: a letter as its byte in Western text (`\'e9`), or as its number with what is shown in its
# place (`\u233?`). A backslash may also stand before any apostrophe (`d\'eau`): behind two letters of a word
# it does not, but for `qu`.
_RICH: Final = re.compile(r"\{\\|\\(?:rtf\d|pard?\b|u\d{2,3}\?)")
_RICH_BYTES: Final = re.compile(r"(?:\\'[0-9a-fA-F]{2})+")
_RICH_IN_WORD: Final = re.compile(r"(?<=[^\W\d_]{2})(?<!qu)(?:\\'[0-9a-fA-F]{2})+")
_RICH_NUMBER: Final = re.compile(r"\\u([0-9]{2,3})\?")
_ENCODED_WORD: Final = re.compile(r"=\?([\w.:-]{1,40})(?:\*[\w-]*)?\?([bBqQ])\?([^?\s]{0,400})\?=(?:\s+(?==\?))?")
_SOFT_BREAK: Final = re.compile(r"(?<=[^\s=])=\r?\n(?=\S)")
_QUOTED: Final = re.compile(r"(?:=[89A-F][0-9A-F])+")
_QUOTED_LETTERS: Final = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]*+(?:=[0-9A-F]{2})++)++[^\W\d_]*+")

_TURNS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_REVERSED, _FORWARD, _END = "\u202e", "\u202a\u202b\u202d\u2066\u2067\u2068", "\u202c\u2069"
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e007f\ud800-\udfff]"
)

_LATIN: Final = "A-Za-z\u00c0-\u024f"
_GREEK_OR_CYRILLIC: Final = "\u0370-\u03ff\u0400-\u052f"
_OTHER_ALPHABET: Final = re.compile(f"[{_GREEK_OR_CYRILLIC}\u0251\u0261]")
_MIXED: Final = re.compile(rf"(?<![^\W\d_])(?=[^\W\d_]*[{_LATIN}])(?=[^\W\d_]*[{_GREEK_OR_CYRILLIC}\u0251\u0261])[^\W\d_]+")
_LOOKS_LIKE: Final = str.maketrans(
    "АВЕЅІЈКМНОРСТУХԚԜаеѕіјкмоорстухһԛԝԁѵΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορτυικɑɡ",
    "ABESIJKMHOPCTYXQWaesijkmoopctyxhqwdvABEZHIKMNOPTYXavoptuikag",
)

# The further bytes of a letter in UTF-8, by what each becomes where it is taken for Western text.
_FURTHER_BYTES: Final = {
    character: byte for byte in range(0x80, 0xC0) for character in (chr(byte), bytes([byte]).decode("cp1252", "ignore")) if character
}
_FURTHER: Final = f"[{re.escape(''.join(_FURTHER_BYTES))}]"
_MISREAD: Final = re.compile(rf"(?:[ÂÃÄÅ]{_FURTHER})+|â{_FURTHER}{{2}}|(?:[Ç-ß]{_FURTHER}){{2,}}")
_QUOTES: Final = "«»“”‘’„‚‹›"  # behind a letter they are rather what they seem to be, unless another letter follows

_FULL_WIDTH: Final = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a][\uff01-\uff5e]*+")
_AS_USUAL: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}

_BASE64: Final = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?=[A-Za-z0-9+/_-][a-z+/_-]*[A-Z0-9])[A-Za-z0-9+/_-]{8,}={0,2}(?:\r?\n[A-Za-z0-9+/_-]{4,}={0,2})*+"
)
# What text in one byte a character looks like where it was taken for UTF-16: hardly a Latin letter, and none
# beside another.
_IN_PAIRS: Final = re.compile("[^\x00-\u024f\uffff]++(?:[\x00-\u024f][^\x00-\u024f\uffff]++)*+")
_BEYOND: Final = re.compile("[\u2e80-\ufffe]")
_HEXADECIMAL: Final = re.compile(r"(?<![0-9a-zA-Z])(?:[0-9a-fA-F]{2}[ :]?){6,}(?![0-9a-zA-Z])")
# Between letters, and one at either end of five: `Peeters1` says nothing else than a name with a number.
_WITH_DIGITS: Final = re.compile(
    r"(?<![^\W\d_])(?:[0-9@$]?[^\W\d_]++(?:[0-9@$]{1,3}[^\W\d_]++)+[0-9@$]{0,2}|[0-9@$][^\W\d_]{5,}+|[^\W\d_]{5,}+[0-9@$](?![0-9@$]))"
)
_BROKEN: Final = re.compile(r"\\[nrtbf]")
_TAGS: Final = re.compile(r"<[^<>]{0,2000}>")
_CONTENT: Final = re.compile(r";base64,[A-Za-z0-9+/=\s]+")
_APART: Final = " ||||| "
_DIGITS_AS_LETTERS: Final = (str.maketrans("013456789@$", "oieasgtbgas"), str.maketrans("013456789@$", "oleasgtbgas"))


def as_read(text: str) -> str:
    """Return a text as a person reads it. A second time changes nothing."""
    return _read(text, with_tags=False)


def as_written(text: str) -> str:
    """Return a text as a person reads it, in the order in which it was written: what turns the direction of
    reading by force is taken away."""
    return _read(text, with_tags=False, turned=False)


def _read(text: str, *, with_tags: bool, turned: bool = True) -> str:
    for _ in range(_MOST_ROUNDS):
        if not _DISGUISED.search(text) and not _UNSEEN.search(text):
            return text
        again = _undisguised(text, with_tags=with_tags, turned=turned)
        if again == text:
            break
        text = again
    return text


def readings(text: str) -> Iterator[str]:
    """Yield a text in every way in which it can be read, without content in base64: as it is written, with
    escapes and disguises taken off, of markup what stands between its tags and what in them, and what its
    encoded parts stand for, one encoding inside another. Redaction and the last look read by this, so that
    neither sees what the other does not."""
    if ";base64," in text:
        text = _CONTENT.sub(" ", text)
    if "\\" in text:
        as_it_is, text = text, _BROKEN.sub(" ", text)
        if text != as_it_is:  # a backslash may be one, and then what follows it is a letter of a name
            yield as_it_is
    read = as_read(text)
    yield text
    if read != text:
        yield from _with_lines(read)
    if "\\'" in read and (rich := as_read(_RICH_BYTES.sub(_western, read))) != read:
        yield rich
    bare = _read(text, with_tags=True) if read != text else text
    tags = " ".join(tag[1:-1] for tag in _TAGS.findall(bare)) if "<" in bare else ""
    if parts := list(_encoded_readings(text, f"{read} {tags}", _MOST_ENCODED)):
        yield _APART.join(parts)
    if tags:
        yield _TAGS.sub(" ", bare)
        yield tags


def _with_lines(read: str) -> Iterator[str]:
    """Yield a text, and with lines for what ends one in JSON."""
    yield read
    if "\\" in read and (lines := _BROKEN.sub(" ", read)) != read:
        yield lines


def _encoded_readings(text: str, read: str, deep: int) -> Iterator[str]:
    """Yield the readings of what is encoded in a text, which is given as it is read too."""
    for said, length in {said: end - begin for begin, end, said in _all_parts(text, read)}.items():
        yield said
        if length == len(said):  # digits for letters: they hide nothing else
            continue
        again = as_read(said)
        yield from _with_lines(again)
        if "<" in said:
            yield " ".join(_TAGS.findall(_read(said, with_tags=True)))
        if deep > 1:
            yield from _encoded_readings(said, again, deep - 1)


def _all_parts(text: str, read: str) -> Iterator[tuple[int, int, str]]:
    yield from encoded_parts(read)
    if read != text:  # what cannot be seen, and is taken off, may be two letters
        yield from of_pairs(text)


def encoded_parts(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the parts of a text that may stand for another: begin, end, and what they would say. In base64,
    in hexadecimal digits, in quoted letters (`Pe=65ters`), with digits for letters (`P33t3rs`), in the
    characters that Latin letters become where two of them were taken for one (`of_pairs`). Only a search can
    say whether they stand for anything: until it does, they are what they seem to be."""
    yield from of_pairs(text)
    for found in _BASE64.finditer(text):
        if (said := _of_base64(re.sub(r"\s", "", found[0]))) is not None:
            yield found.start(), found.end(), said
    for found in _HEXADECIMAL.finditer(text):
        said = _decoded(bytes.fromhex(re.sub(r"[ :]", "", found[0])))
        if said is not None:
            yield found.start(), found.end(), said
    if "=" in text:
        for found in _QUOTED_LETTERS.finditer(text):
            said = _decoded(binascii.a2b_qp(found[0].encode("utf-8", "replace")))
            if said is not None:
                yield found.start(), found.end(), said
    for found in _WITH_DIGITS.finditer(text):
        for table in _DIGITS_AS_LETTERS:
            yield found.start(), found.end(), found[0].translate(table)


def of_pairs(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the parts of a text that are, byte for byte, a text in one byte or in UTF-8 that was taken for
    UTF-16, with what that says. Text of two Latin letters a character looks Chinese: saved as UTF-16 again it
    is the letters again."""
    if text.isascii() or not _BEYOND.search(text):
        return
    for found in _IN_PAIRS.finditer(text):
        if len(found[0]) > 1 and _BEYOND.search(found[0]):
            for encoding in ("utf-16-be", "utf-16-le"):
                content = found[0].encode(encoding, "surrogatepass").replace(b"\0", b"")
                yield found.start(), found.end(), content.decode("latin-1")
                if not content.isascii():
                    yield found.start(), found.end(), content.decode("utf-8", "ignore")


def _undisguised(text: str, *, with_tags: bool, turned: bool) -> str:
    """Take one layer off."""
    if "&" in text:
        text = _REFERENCE.sub(lambda found: unescaped(found[0]), _AMPERSANDS.sub("&", text))
    if not with_tags and "<" in text and has_markup(text):
        text = "".join(_words_of(text))
    if "%" in text:
        text = _PERCENT_TOKEN.sub(_without_percents, text)
    if "\\'" in text:
        text = _RICH_BYTES.sub(_western, text) if _RICH.search(text) else _RICH_IN_WORD.sub(_western, text)
    if "\\u" in text:
        text = _RICH_NUMBER.sub(lambda found: chr(int(found[1])), _CODE_UNITS.sub(_characters, text))
    if "=" in text:
        text = _SOFT_BREAK.sub("", _ENCODED_WORD.sub(_word, text))
        text = _QUOTED.sub(lambda found: _decoded(binascii.a2b_qp(found[0].encode())) or found[0], text)
    if not text.isascii():
        if _TURNS.search(text):
            text = "\n".join(_in_order(line) for line in text.split("\n")) if turned else _TURNS.sub("", text)
        text = _MISREAD.sub(_as_utf_8, text)
        text = _FULL_WIDTH.sub(lambda found: found[0].translate(_AS_USUAL), text)
        if _OTHER_ALPHABET.search(text):
            text = _MIXED.sub(lambda found: found[0].translate(_LOOKS_LIKE), text)
    return _UNSEEN.sub("", text)


def _words_of(text: str) -> Iterator[str]:
    for token in tokens_read(text):
        if isinstance(token, Words):
            yield token.text if token.is_seen else ""
        elif isinstance(token, Tag) and not goes_on(token.name):
            yield "\n"


def _without_percents(token: re.Match[str]) -> str:
    """Decode the percent signs of an address; a blank stays in a link, which would end at it."""
    is_link = "://" in token[0] or token[0].lower().startswith("www.")
    is_encoded = len(_BYTE.findall(token[0])) >= _ENCODED_FROM or _OF_ADDRESS.search(token[0]) is not None

    def meant(run: re.Match[str]) -> str:
        content = bytes.fromhex(run[0].replace("%", ""))
        before = run.string[run.start() - 1 : run.start()]
        said = _decoded(content)
        if said is None and before.isalpha() and all(byte >= 0xC0 for byte in content):
            said = content.decode("cp1252", "replace")
        if said is None or (is_link and any(character.isspace() for character in said)):
            return run[0]
        after = run.string[run.end() : run.end() + 1]
        is_word = before.isalpha() or after.isalpha() or any(character.isalpha() for character in said)
        is_address = said == "@" and after.isalpha()  # 88%40example.org
        return said if is_encoded or is_address or (is_word and not before.isdigit()) else run[0]

    return _PERCENT.sub(meant, token[0])


def _characters(escapes: re.Match[str]) -> str:
    return bytes.fromhex(escapes[0].replace("\\u", "")).decode("utf-16-be", "replace").replace("\ufffd", "")


def _western(escapes: re.Match[str]) -> str:
    """Decode bytes of rich text where all of them are letters."""
    said = bytes.fromhex(escapes[0].replace("\\'", "")).decode("cp1252", "replace")
    return said if said.isalpha() else escapes[0]


def _as_utf_8(found: re.Match[str]) -> str:
    """Decode letters and signs in UTF-8 that were taken for Western ones."""
    written = found[0]
    if len(written) == 2 and written[-1] in _QUOTES and not found.string[found.end() : found.end() + 1].isalpha():
        return written
    try:
        said = bytes(_FURTHER_BYTES.get(character, ord(character)) for character in written).decode()
    except UnicodeDecodeError:
        return written
    is_text = written[0] == "â" or any(map(str.isalpha, said))
    return said if is_text and said.isprintable() else written


def _word(found: re.Match[str]) -> str:
    """Decode an encoded word of the head of an e-mail."""
    try:
        content = binascii.a2b_base64(found[3]) if found[2] in "bB" else binascii.a2b_qp(found[3].encode("ascii", "replace"), header=True)
        return content.decode(found[1])
    except (ValueError, LookupError):
        return found[0]


def _of_base64(written: str) -> str | None:
    plain = written.rstrip("=").replace("-", "+").replace("_", "/")
    if len(plain) % 4 == 1:
        return None
    try:
        return _decoded(binascii.a2b_base64(plain + "=" * (-len(plain) % 4)))
    except ValueError:
        return None


def _decoded(content: bytes) -> str | None:
    """Decode UTF-8, or UTF-16 where most of every second byte is zero; None if it is not a text."""
    try:
        text = content.decode(_encoding_of(content))
    except UnicodeDecodeError:
        return None
    seen = text if text.isprintable() else _UNSEEN.sub("", _TURNS.sub("", text))
    return text if text and all(character.isprintable() or character.isspace() for character in seen) else None


def _encoding_of(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding, high in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        if len(content) > 3 and 2 * high.count(0) > len(high):
            return encoding
    return "utf-8"


def _in_order(line: str) -> str:
    """Put a line in the order in which it is seen: what is turned by force stands the other way round."""
    stack: list[tuple[bool, list[str]]] = [(False, [])]

    def close() -> None:
        is_reversed, parts = stack.pop()
        stack[-1][1].append("".join(reversed(parts) if is_reversed else parts))

    for character in line:
        if character == _REVERSED or character in _FORWARD:
            stack.append((character == _REVERSED, []))
        elif character in _END:
            if len(stack) > 1:
                close()
        elif stack[-1][1] and "\u0300" <= character <= "\u036f":
            stack[-1][1][-1] += character
        else:
            stack[-1][1].append(character)
    while len(stack) > 1:
        close()
    return "".join(stack[0][1])
