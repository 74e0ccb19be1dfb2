"""Nothing written in disguise gets past search, redaction and the last look: they read what a person reads
(EXP-06). All are fictitious."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.requests.search.mentions import Sought
from rules.model.personal_records import FullContact
from rules.redaction.leak_terms import LeakTerms
from rules.redaction.people import Protected
from rules.texts.disguises import as_read, encoded_parts
from tests.rules.redaction_cast import a_redactor

OTHER = Protected(
    "q", "witness", names=(("Katrijn", "Quaghebeur"),), phones=("+32475998877",), emails=("quagh88@example.org", "quagh88@1und1.example")
)

DISGUISES = {
    "turned": "\u202eruebehgauQ njirtaK\u202c",
    "turned in parts": "Katrijn Quag\u202euebeh\u202cr",
    "comment": "Katrijn Quaghe<!-- x -->beur",
    "tags": "Kat<b>rijn</b> Qua<span class='x'>ghe</span>beur",
    "unknown tags": "Kat<x>rijn</x> Quag<y:z></y:z>hebeur",
    "a number between unknown tags": "0475<x></x>998877",
    "escaped tags": "Katrijn Quaghe&lt;b&gt;&lt;/b&gt;beur",
    "numeric": "Katrijn Quagh&#101;beur",
    "hexadecimal": "Katrijn Quagh&#x65;beur",
    "without its end": "Katrijn Quagh&#101beur",
    "leading zeros": "Katrijn Quagh&#0000101;beur",
    "escaped twice": "Katrijn Quagh&amp;#101;beur",
    "escaped five times": "Katrijn Quagh&amp;amp;amp;amp;#101;beur",
    "named": "Katrijn Quagh&eacute;beur",
    "percent": "Katrijn%20Quagh%65beur",
    "percent twice": "Katrijn Quagh%2565beur",
    "percent, accented": "Katrijn Quagh%C3%A9beur",
    "percent, Western": "Katrijn Quagh%E9beur",
    "in a link": "https://example.org/?q=Katrijn%20Quaghebeur",
    "code units": "Katrijn Quagh\\u0065beur",
    "bytes of rich text": "Katrijn Quagh\\'65beur",
    "bytes of rich text at the beginning of a word": "{\\b Katrijn \\'51uaghebeur}",
    "numbers of rich text": "Katrijn Quagh\\u101?beur",
    "soft hyphens": "Katrijn Qua\u00adghe\u00adbeur",
    "zero width": "Kat\u200brijn Qua\u200cghe\u2060be\ufeffur",
    "variation selectors": "Katrijn Q\ufe0fu\ufe0faghebeur",
    "tag characters": "Katrijn Qua\U000e0041ghebeur",
    "look-alikes": "Katrijn Quаghеbеur",  # Cyrillic а and е
    "UTF-8 taken for Western": "Katrijn Quagh\u00c3\u00a9beur",
    "UTF-8 taken for Western, twice": "Katrijn Quagh\u00c3\u0192\u00c2\u00a9beur",
    "full width": "Ｋａｔｒｉｊｎ Ｑｕａｇｈｅｂｅｕｒ",
    "mathematical": "Katrijn 𝐐𝐮𝐚𝐠𝐡𝐞𝐛𝐞𝐮𝐫",
    "encoded word": "=?utf-8?B?S2F0cmlqbiBRdWFnaGViZXVy?=",
    "encoded word in letters": "=?utf-8?q?Katrijn_Quagh=65beur?=",
    "quoted": "Katrijn Quagh=65beur",
    "quoted, broken": "Katrijn Quaghe=\nbeur",
    "base64": base64.b64encode(b"Katrijn Quaghebeur belde").decode(),
    "base64 of the name": base64.b64encode(b"Quaghebeur").decode(),
    "hexadecimal digits": b"Katrijn Quaghebeur".hex(),
    "digits for letters": "Katrijn Qu4gh3b3ur",
    "two letters in one": b"Dag Katrijn Quaghebeur".decode("utf-16-be"),
    "two letters in one, turned": b"Dag Katrijn Quaghebeur".decode("utf-16-le"),
    "a number in references": "bel &#48;475 99 88 77",
    "a number in percents": "tel:%2B32475998877",
    "an address in percents": "mailto:quagh88%40example.org",
    "an address of digits in percents": "quagh88%401und1.example",
}


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES)
def test_nothing_in_disguise_gets_past_redaction(disguise: str) -> None:
    redactor = a_redactor(OTHER)
    redacted = redactor.redact(f"Gisteren {disguise} gezien.").text
    assert any(label in redacted for label in ("[getuige 1]", "[telefoonnummer]", "[e-mailadres]", "[link]"))
    assert LeakTerms(redactor.leak_terms()).found_in(redacted) == ()
    assert "uagh" not in redacted
    assert redactor.redact(redacted).text == redacted


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES)
def test_nothing_in_disguise_gets_past_the_last_look(disguise: str) -> None:
    assert LeakTerms(a_redactor(OTHER).leak_terms()).found_in(f"Gisteren {disguise} gezien.")


SEEN = {
    name: text
    for name, text in DISGUISES.items()
    if "number" not in name and not name.startswith(("base64", "hexadecimal digits", "digits", "quoted", "two", "a number", "an address"))
}


@pytest.mark.parametrize("disguise", SEEN.values(), ids=SEEN)
def test_the_search_reads_through_the_same_disguises(disguise: str) -> None:
    sought = Sought([FullContact(id="q", first_name="Katrijn", last_name="Quaghebeur")])
    assert sought.found_in(f"Gisteren {disguise} gezien.") == {"q": "name"}


@pytest.mark.parametrize(
    "text",
    [
        "Zij betaalde 50% van 100%, of 3 < 5 & 7 > 2.",
        "R&D bij AT&T; x = 25; a=10; n=20 jaar",
        "https://example.org/a%20b?x=1&y=2",
        "C:\\users\\lotte",
        "שלום, مرحبا, Здравствуйте, Καλημέρα, 漢字",
        "👩\u200d👧 en een regel\nnog een regel\ttab",
        "10%de rente, 5%20 en 100%BE",
        "<jan@example.org>",
        "«CAFÉ», „GEMÄ“, IRMÃ, 20 °C, Â, 5 Å, Ó«, ÂÃ",
        "Verantwoordelijkheid en IBAN BE68 5390 0754 7034",
    ],
)
def test_what_is_no_disguise_stays_as_it_is(text: str) -> None:
    assert as_read(text) == text


def test_text_in_utf_8_that_was_taken_for_western_is_told_as_it_was_meant() -> None:
    """EXP-01: names of many languages, and the signs of a word processor."""
    meant = "Noël Müller, Yıldız, Łukasz Wójcik, Щербаков, Γιώργος, D’Hondt – “Zoë” … €"
    assert as_read(meant.encode().decode("cp1252", "ignore")) != meant  # bytes that Western text does not have
    for encoding in ("latin-1", "cp1252"):
        taken = "".join(bytes([byte]).decode(encoding, "ignore") or chr(byte) for byte in meant.encode())
        assert as_read(taken) == meant


def test_what_is_encoded_and_tells_of_nobody_stays_as_it_is() -> None:
    text = f"code {base64.b64encode(b'een gewone zin').decode()} en w8woord1"
    assert a_redactor(OTHER).redact(text).text == text


PIECES = (*"ab&#;<>/!-%=\\u0123456789 \n", "\u202e", "\u202c", "\u2067", "\u2069", "é", "а", "\u0301", "\u200b", "amp;", "&lt;")


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_a_second_reading_changes_nothing(text: str) -> None:
    """Up to eight disguises one inside another."""
    once = as_read(text)
    assert as_read(once) == once


@pytest.mark.parametrize(
    "piece",
    ["x", "(", "=4", "=41", "%4", "%41", "&amp;", "&#0", "é", "я", "x1", "aa ", "Aa0", "=?x?q?a", "\u202ex", "桥", "桥a", "Ã", "Ã©", "Ñ"],
)
@pytest.mark.parametrize(("before", "after"), [("", ""), ("% = <b> &amp; я ", " =")])
def test_a_long_run_costs_no_more_than_its_length(before: str, piece: str, after: str) -> None:
    """A cost of its square would be minutes: whoever sends a run of letters must not stop an answer."""
    started = time.process_time()
    list(encoded_parts(as_read(before + piece * 50_000 + after)))
    assert time.process_time() - started < 5
