"""Whatever disguise a name, number or address is in, one inside another, the last look refuses nothing that
redaction proposes (EXP-06, R-118). All are fictitious."""

import base64
import quopri
from collections.abc import Callable
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.redaction.leak_terms import LeakTerms
from rules.redaction.people import Protected
from rules.texts.disguises import as_read
from tests.rules.redaction_cast import a_redactor

OTHER = Protected(
    "q", "witness", names=(("Żaneta", "D'Hondt-Müller"), ("Katrijn", "Quaghebeur")), phones=("+32475998877",), emails=("kq@voorbeeld.be",)
)
PLANTED = ("Żaneta D'Hondt-Müller", "Katrijn Quaghebeur", "Quaghebeur", "0475 99 88 77", "kq@voorbeeld.be")
UNSEEN = ("\u200b", "\u00ad", "\ufeff", "\u2060", "\ufe0f", "\u200e", "\u034f")


def _even(content: bytes) -> bytes:
    return content + b" " * (len(content) % 2)


def _between(sign: str) -> Callable[[str], str]:
    return lambda text: sign.join(text)


ENCODED: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16")).decode(),
    "base64 of UTF-16, turned": lambda text: base64.b64encode(text.encode("utf-16-be")).decode(),
    "base64 in a link": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "hexadecimal digits": lambda text: text.encode().hex(),
    "hexadecimal digits apart": lambda text: text.encode().hex(" "),
    "two letters in one": lambda text: _even(text.encode()).decode("utf-16-be", "surrogatepass"),
    "two letters in one, turned": lambda text: _even(text.encode()).decode("utf-16-le", "surrogatepass"),
}
READ: dict[str, Callable[[str], str]] = {
    "references": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "escaped references": lambda text: "".join(f"&amp;#{ord(sign):x};".replace("#", "#x") for sign in text),
    "percents": lambda text: quote(text, safe=""),
    "code units": lambda text: "".join(f"\\u{int.from_bytes(unit):04x}" for unit in _units(text)),
    "quoted": lambda text: quopri.encodestring(text.encode(), quotetabs=False).decode().replace("=\n", ""),
    "encoded word": lambda text: f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?=",
    "tags": lambda text: "".join(f"<b>{sign}</b>" if sign.isalnum() else sign for sign in text),
    "comment": lambda text: f"{text[:4]}<!-- x -->{text[4:]}",
    "attribute": lambda text: f'<p title="{text}">x</p>',
    "turned": lambda text: f"\u202e{text[::-1]}\u202c",
    "full width": lambda text: "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text),
    "look-alikes": lambda text: text.translate(str.maketrans("aeop", "аеор")),
    "digits for letters": lambda text: text.translate(str.maketrans("aei", "431")),
    "escaped lines": lambda text: text.replace(" ", "\\n"),
    **{f"between: {ord(sign):x}": _between(sign) for sign in UNSEEN},
}
DISGUISES = ENCODED | READ


def _units(text: str) -> list[bytes]:
    content = text.encode("utf-16-be", "surrogatepass")
    return [content[at : at + 2] for at in range(0, len(content), 2)]


REDACTOR = a_redactor(OTHER)
LEAK_TERMS = LeakTerms(REDACTOR.leak_terms())


@st.composite
def planted(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(PLANTED))
    for _ in range(draw(st.integers(1, 4))):
        text = DISGUISES[draw(st.sampled_from(sorted(DISGUISES)))](text)
        if draw(st.booleans()):
            at = draw(st.integers(0, len(text)))
            text = text[:at] + draw(st.sampled_from((*UNSEEN, "<", ">", "[derde 1]", "桥", "é", " ", "\n", "\\n", "=", "&"))) + text[at:]
    return text.encode("utf-16", "replace").decode("utf-16")


@settings(max_examples=600, deadline=None)
@given(st.lists(st.one_of(planted(), st.text(max_size=10)), min_size=1, max_size=4).map("".join))
def test_the_last_look_refuses_nothing_that_is_proposed(text: str) -> None:
    proposed = REDACTOR.redact(text).text
    assert LEAK_TERMS.found_in(proposed) == ()
    assert REDACTOR.redact(proposed).text == proposed
    assert as_read(proposed) == proposed
