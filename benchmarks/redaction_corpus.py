"""Fictitious names of third persons, in every form in which somebody may write them, in every kind of content
that a CRM keeps."""

import base64
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.redaction_files import FILES, said

KNOWN: Final = (
    ("Katrijn", "Quaghebeur"),
    ("Bartel", "Zonnevijlle"),
    ("Noémie", "Descharmes"),
    ("Youssef", "El Khattabouni"),
    ("Griet", "Van den Broucke"),
    ("Wolfram", "Obermüllner"),
    ("Aurélie", "Delacroixhe"),
    ("Tibor", "Kowalczykow"),
    ("Hanneke", "Terweduwen"),
    ("Jean-Luc", "Pirotteaux"),
)
UNKNOWN: Final = (
    ("Marijke", "Vandezwaluwe"),
    ("Dimitri", "Holvoetsen"),
    ("Solange", "Bruyèreaux"),
    ("Karim", "Benhaddouche"),
    ("Trui", "De Wachterman"),
    ("Dieter", "Großschmidtner"),
    ("Mélanie", "Van Oosterbosch"),
    ("Stanislas", "Wisniewskow"),
    ("Lieselot", "Opdedrinckx"),
    ("Anne-Sophie", "Lambertyns"),
)


@dataclass(frozen=True)
class Case:
    """One name that was planted. `row` is text, html, email or file; a file has `name`, `media_type` and
    `body`."""

    kind: str
    form: str
    first: str
    last: str
    written: str
    row: str
    text: str = ""
    name: str = ""
    media_type: str = ""
    body: str = ""  # base64


def _plain(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


def _middle(last: str) -> int:
    return max(len(last) // 2, last.rfind(" ") + 3)


def _inside(mark: str) -> Callable[[str, str], str]:
    return lambda first, last: f"{first} {last[: _middle(last)]}{mark}{last[_middle(last) :]}"


def _swapped(last: str) -> str:
    at = len(last) - 4
    return last[:at] + last[at + 1] + last[at] + last[at + 2 :]


LOOK_ALIKE: Final = str.maketrans("aeopcxAEOPCK", "аеорсхАЕОРСК")
LEET: Final = str.maketrans("aeios", "43105")

FORMS: Final[dict[str, Callable[[str, str], str]]] = {
    "plain": lambda f, s: f"{f} {s}",
    "surname first": lambda f, s: f"{s} {f}",
    "capitals and comma": lambda f, s: f"{s.upper()}, {f}",
    "capitals": lambda f, s: f"{f} {s}".upper(),
    "lower case": lambda f, s: f"{f} {s}".lower(),
    "surname alone": lambda f, s: s,
    "possessive": lambda f, s: f"{f} {s}'s",
    "plural": lambda f, s: f"de {s}s",
    "initial": lambda f, s: f"{f[0]}. {s}",
    "initial of the surname": lambda f, s: f"{f} {s.split()[-1][0]}.",
    "spaced": lambda f, s: " ".join(f"{f}{s}".replace(" ", "")),
    "dotted": lambda f, s: ".".join(s.replace(" ", "")),
    "hyphenated at a line end": _inside("-\n"),
    "joined": lambda f, s: f"{f}{s}".replace(" ", "").lower(),
    "user name": lambda f, s: f"{_plain(f)}.{_plain(s)}92".replace(" ", "").lower(),
    "without accents": lambda f, s: _plain(f"{f} {s}"),
    "other accents": lambda f, s: f"{f} {s}".replace("e", "é").replace("o", "ö"),
    "a slip": lambda f, s: f"{f} {_swapped(s)}",
    "soft hyphen": _inside("\u00ad"),
    "zero width": _inside("\u200b\u2060"),
    "turned round": lambda f, s: "\u202e" + f"{f} {s}"[::-1] + "\u202c",
    "comment inside": _inside("<!-- x -->"),
    "tags inside": _inside("<b></b>"),
    "numeric references": lambda f, s: "".join(f"&#{ord(one)};" for one in f"{f} {s}"),
    "escaped twice": lambda f, s: f"{f} " + "".join(f"&amp;#{ord(one)};" for one in s),
    "percent": lambda f, s: "".join(f"%{byte:02X}" for byte in f"{f} {s}".encode()),
    "look-alikes": lambda f, s: f"{f} {s}".translate(LOOK_ALIKE),
    "full width": lambda f, s: "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in f"{f} {s}"),
    "quoted-printable": lambda f, s: "".join(f"={byte:02X}" if index % 3 else chr(byte) for index, byte in enumerate(_plain(s).encode())),
    "base64": lambda f, s: base64.b64encode(f"{f} {s}".encode()).decode(),
    "digits for letters": lambda f, s: f"{f} {s.translate(LEET)}",
}


ROWS: Final = ("note", "note html", "e-mail", "e-mail html")


def corpus(names: tuple[tuple[str, str], ...]) -> Iterator[Case]:
    """Every form in every kind of content, the names in turn; what a kind cannot hold at all is left out."""
    number = 0
    for form, write in FORMS.items():
        for kind in (*ROWS, *FILES):
            first, last = names[number % len(names)]
            number += 1
            written = write(first, last)
            if kind in ROWS:
                text = f"<p>{said(written)}</p>" if kind.endswith("html") else said(written)
                yield Case(kind, form, first, last, written, "email" if kind.startswith("e-mail") else "note", text=text)
                continue
            name, media_type, make = FILES[kind]
            try:
                body = make(written)
            except (UnicodeEncodeError, ValueError):
                continue
            yield Case(kind, form, first, last, written, "file", name=name, media_type=media_type, body=base64.b64encode(body).decode())
