"""The files of a package: data, table, manifest, archive, and the last look at them all."""

import csv
import hashlib
import io
import json
import math
import re
import secrets
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pyzipper
from hypothesis import given
from hypothesis import strategies as st

from crm_compliance.answer_package import archive
from crm_compliance.answer_package.archive import archive_of, new_passphrase
from crm_compliance.answer_package.characters import french
from crm_compliance.answer_package.content.particulars import recipient_lines
from crm_compliance.answer_package.leak_check import searched_files
from crm_compliance.answer_package.package import PackageBroken, package_files, package_of, write_plain
from crm_compliance.answer_package.table import cell
from crm_compliance.host.files import DiskProblem
from jobs.model.answer import SEEN_UNCHECKED, Addressee, Attachment, Compilation, Context, Field, ItemStatus, Recipient, Withheld
from jobs.ports.outbox import LeakFound
from rules.errors import Refused
from rules.model.languages import LANGUAGES
from rules.redaction.leak_terms import GUID, leak_term, name_leak_term
from tests.crm_compliance.answer_package.pages import text_of
from tests.crm_compliance.answer_package.samples import DOSSIER, GIFT, GIFTS, ORGANISATION, PERSON, PHOTO, ROW, compilation, fiche, neutral
from tests.jobs.files.made import a_document, a_picture
from tests.saying import texts_in

PICTURE = {"attachment-1.png": a_picture()}
MEGABYTE = 1_000_000


def package(compiled: Compilation) -> dict[str, bytes]:
    return package_of(compiled, ORGANISATION, PICTURE)


def data(compiled: Compilation) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(package(compiled)["data.json"])
    return found


# -- which files ---------------------------------------------------------------------------------------------


def test_a_package_has_these_files() -> None:
    """Contract 5."""
    assert sorted(package(compilation())) == ["attachments/attachment-1.png", "data.json", "index.html", "letter.pdf", "manifest.json"]


@pytest.mark.parametrize("compiled", [neutral(), compilation(items=(), contexts=(), refusal="RF-04", right="portability")])
def test_a_neutral_answer_or_a_refusal_is_a_letter_and_its_manifest(compiled: Compilation) -> None:
    """Contract 5, SUS-04."""
    assert sorted(package(compiled)) == ["letter.pdf", "manifest.json"]


def test_what_a_person_takes_along_is_one_json_and_one_table() -> None:
    """R-100, EXP-15: only what the donor gave."""
    made = package(compilation(right="portability"))
    assert sorted(made) == ["data.csv/data.csv", "data.json", "index.html", "letter.pdf", "manifest.json"]
    document = json.loads(made["data.json"])
    assert [item["fields"] for item in document["items"]] == [{"amount": 25.5, "name": "=HYPERLINK(1)"}]
    assert [context["type"] for context in document["contexts"]] == ["donation"]
    rows = list(csv.DictReader(io.StringIO(made["data.csv/data.csv"].decode())))
    assert [(row["field"], row["value"], row["date"]) for row in rows] == [
        ("amount", "25.5", "2026-01-15"),
        ("name", "'=HYPERLINK(1)", "2026-01-15"),
    ]


def test_an_attachment_that_is_gone_stops_the_release() -> None:
    with pytest.raises(PackageBroken):
        package_of(compilation(), ORGANISATION, {})


def test_an_attachment_goes_along_only_as_it_was_approved() -> None:
    """EXP-07: a text in its place is told instead of it."""
    redacted = msgspec.structs.replace(PHOTO, status=ItemStatus.APPROVED_REDACTED, text="Een foto van een hond.")
    made = package(compilation(items=(redacted,)))
    assert not [name for name in made if name.startswith("attachments/")]
    assert "Een foto van een hond." in made["data.json"].decode()


def test_the_names_of_files_tell_nothing_of_those_that_are_withheld() -> None:
    """EXP-09, R-107: in a package they are numbered without a gap, whatever the reviewer knows them by; what
    stops a release is named as the reviewer knows it."""
    withheld, kept = (
        msgspec.structs.replace(
            PHOTO, item=f"item-{number}", attachment=Attachment("note", f"n{number}", "body", "image/png", name), **more
        )
        for number, name, more in (
            (8, "attachment-1.png", {"status": ItemStatus.WITHHELD, "code": "NOT_THE_PERSON"}),
            (9, "attachment-2.png", {}),
        )
    )
    made = package_of(compilation(items=(withheld, kept)), ORGANISATION, {"attachment-2.png": a_picture()})
    assert [name for name in made if name.startswith("attachments/")] == ["attachments/attachment-1.png"]
    for name in ("data.json", "index.html", "manifest.json"):
        assert (b"attachments/attachment-1.png" in made[name], b"attachment-2" in made[name]) == (True, False)
    leaking = a_document("Mina Peeters (fictief)")
    kept = msgspec.structs.replace(kept, attachment=Attachment("note", "n9", "body", "application/zip", "attachment-2.zip"))
    answer = compilation(items=(withheld, kept), leak_terms=(name_leak_term("Mina", "Peeters"),))
    with pytest.raises(LeakFound) as refused:
        package_of(answer, ORGANISATION, {"attachment-2.zip": leaking})
    assert refused.value.item == "item-9"
    with pytest.raises(PackageBroken) as gone:
        package_of(answer, ORGANISATION, {})
    assert gone.value.where == "attachment-2.zip"


def test_two_neutral_packages_differ_in_nothing_but_what_they_must() -> None:
    """R-106: names of files and the manifest, but for request, date and the sum of the letter."""
    one, other = (
        package(neutral()),
        package(neutral(request="request-ffffffffffff", reference="request-ffffffffffff", addressee=Addressee("Bram Maes (fictief)"))),
    )
    assert list(one) == list(other)
    masks = (r"request-\w+", "request"), (r"[0-9a-f]{64}", "sum")
    manifests = []
    for made in (one, other):
        text = made["manifest.json"].decode()
        for pattern, word in masks:
            text = re.sub(pattern, word, text)
        manifests.append(text)
    assert manifests[0] == manifests[1]
    assert "size" not in manifests[0]


# -- data ----------------------------------------------------------------------------------------------------


def test_the_data_have_the_keys_that_were_promised() -> None:
    """EXP-13."""
    document = data(compilation())
    keys = ["schema_version", "request_id", "reference", "generated_at", "language", "contexts", "items", "withheld", "rights", "authority"]
    assert list(document) == keys
    assert document["generated_at"] == "2026-05-04T14:03:00+02:00"
    assert document["authority"]["email"] == "contact@apd-gba.be"
    assert len(document["rights"]) == 7
    assert {"purpose", "basis", "retention"} <= document["contexts"][0].keys()
    assert document["contexts"][0]["retention"]["last_day"] == "2033-02-01"
    assert {"context", "type", "date", "fields", "redactions"} <= document["items"][0].keys()
    assert document["withheld"] == [{"class": "item", "code": "RF-03"}, {"class": "text", "code": "RF-03"}]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("context", [DOSSIER, msgspec.structs.replace(DOSSIER, recipients=()), GIFTS])
def test_the_data_say_of_recipients_what_the_letter_says(language: str, context: Context) -> None:
    """Section 7.1(c), EXP-12: an empty list would deny what the letter leaves open."""
    made = package(compilation(language=language, contexts=(context,), items=(), withheld=()))
    (told,) = json.loads(made["data.json"])["contexts"]
    assert told["recipients_text"] == list(recipient_lines(context.recipients, texts_in(language)))
    letter = text_of(made["letter.pdf"])
    said = [" ".join((french(line) if language == "fr" else line).split()) for line in told["recipients_text"]]
    assert [line for line in said if line not in letter] == []
    assert bool(told["recipients"]) == bool(context.recipients)


def test_the_numbers_of_what_is_told_have_no_gap() -> None:
    """EXP-09, R-107: numbers are given after everything else."""
    assert [item["item"] for item in data(compilation())["items"]] == ["1", "2", "3", "4", "5"]


def test_words_for_what_is_withheld_are_not_told() -> None:
    """EXP-07: what a table or a category is called would tell that more is there."""
    visits = [fiche(7, kind="cf_visit"), fiche(8, kind="cf_secret", status=ItemStatus.WITHHELD)]
    told = fiche(5, fields=(Field("categories", "arrears, runaway"),))
    hidden = fiche(6, fields=(Field("categories", "runaway, sexting"),), status=ItemStatus.WITHHELD)
    names = ("categories.arrears", "categories.runaway", "categories.sexting", "cf_visit", "cf_visit.cf_on", "cf_secret", "cf_secret.cf_on")
    compiled = compilation(items=(told, hidden, *visits), words={name: name for name in names})
    assert set(data(compiled)["words"]) == {"categories.arrears", "categories.runaway", "cf_visit", "cf_visit.cf_on"}
    assert "words" not in data(compilation(items=(PERSON, hidden), words={"categories.sexting": "Sexting"}))


def test_no_id_and_no_text_of_the_crm_is_in_any_file() -> None:
    """EXP-13, R-123."""
    made = package(compilation())
    for name, content in made.items():
        assert not GUID.search(name)
        assert ROW[:-4].encode() not in content
        if name.endswith((".json", ".html")):
            assert not GUID.search(content.decode())
            assert "UNREDACTED" not in content.decode()


def test_a_redaction_is_told_by_class_and_label_where_it_stands() -> None:
    """EXP-13: a label that the reader took out is not told."""
    fields = data(compilation(items=(fiche(2),)))["items"][0]["redactions"]
    assert fields == [
        {"field": "caller_number", "class": "phone", "label": "[telefoonnummer]", "rule": "EXP-06"},
        {"field": "summary", "class": "name", "label": "[ouder 1]", "rule": "EXP-06"},
    ]


def test_what_is_held_has_no_last_day() -> None:
    held = msgspec.structs.replace(DOSSIER, retention=msgspec.structs.replace(DOSSIER.retention, is_held=True))
    assert data(compilation(contexts=(held,)))["contexts"][0]["retention"]["last_day"] is None


# -- table ---------------------------------------------------------------------------------------------------

BEGINS = "=+-@\t\r\n＝＋－＠"


@pytest.mark.parametrize("first", BEGINS)
def test_no_cell_begins_a_formula(first: str) -> None:
    """R-124, EXP-19."""
    assert cell(f"{first}cmd")[0] == "'"
    assert cell(f"  {first}cmd").lstrip()[0] in ("'", "c")
    assert cell(f'x;{first}cmd"').startswith("x;'") or first in "\t\r\n"


@given(st.text(alphabet=st.sampled_from(["=", "+", "-", "@", "\t", "\r", "\n", ";", '"', "'", " ", "a", "1", "＝", "\u200b"]), max_size=12))
def test_no_text_becomes_a_formula_however_it_is_split(text: str) -> None:
    """R-124: also where a spreadsheet takes a semicolon for the separator."""
    for part in re.split("[;\t\r\n]", cell(text)):
        assert not part or part[0] not in BEGINS


def test_numbers_and_yes_or_no_stay_what_they_are() -> None:
    assert (cell(-25.5), cell(True), cell(None), cell("2026-01-15"), cell("a-b")) == ("-25.5", "true", "", "2026-01-15", "a-b")


# -- manifest and archive ------------------------------------------------------------------------------------


def test_the_manifest_has_the_sum_of_every_other_file() -> None:
    """EXP-13."""
    made = package(compilation())
    manifest = json.loads(made.pop("manifest.json"))
    assert manifest["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in sorted(made.items())}


def test_the_archive_is_encrypted_with_aes_and_opens_with_its_passphrase() -> None:
    """EXP-16."""
    made = package(compilation())
    zipped = archive_of(made.items(), "ba-be-bi")
    with zipfile.ZipFile(io.BytesIO(zipped)) as opened:
        for entry in opened.infolist():
            assert (entry.compress_type, entry.flag_bits & 1, entry.date_time) == (99, 1, (1980, 1, 1, 0, 0, 0))
            assert entry.extra[8] == 3  # AES, 256 bits
    with pyzipper.AESZipFile(io.BytesIO(zipped)) as opened:
        with pytest.raises(RuntimeError):
            opened.read("letter.pdf", pwd=b"wrong")
        assert {name: opened.read(name, pwd=b"ba-be-bi") for name in opened.namelist()} == made
    assert b"Lotte" not in zipped


def test_an_archive_that_no_database_stores_is_refused_before_it_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST", 3 * MEGABYTE)
    asked: list[str] = []

    def files() -> Iterator[tuple[str, bytes]]:
        for number in range(9):
            asked.append(f"attachments/{number}.bin")
            yield asked[-1], secrets.token_bytes(MEGABYTE)

    with pytest.raises(Refused, match="more than 3 MB") as refused:
        archive_of(files(), "ba-be-bi")
    assert (refused.value.code, refused.value.where, len(asked)) == ("package_large", asked[-1], 3)


def test_a_passphrase_cannot_be_guessed_and_can_be_read_out() -> None:
    found = {new_passphrase() for _ in range(50)}
    assert len(found) == 50
    assert all(re.fullmatch(r"([bdfgklmnprstvz][aeiou]){2}(-([bdfgklmnprstvz][aeiou]){2}){7}", each) for each in found)
    assert 16 * math.log2(14 * 5) >= 80


class Stored(dict[str, bytes]):
    """Files that are made when they are asked for, as a CRM sends them."""

    def get(self, name: str, default: object = None) -> bytes:
        return bytes(MEGABYTE)


def test_of_many_files_one_is_in_memory_at_a_time() -> None:
    """What an archive takes is its own size, not that of all its files beside it."""
    items = [
        msgspec.structs.replace(
            PHOTO, item=f"item-{number}", code=SEEN_UNCHECKED, attachment=Attachment("note", ROW, "body", "", f"{number}.bin")
        )
        for number in range(80, 120)
    ]
    tracemalloc.start()
    names = [name for name, _ in package_files(compilation(items=tuple(items)), ORGANISATION, Stored(), told=())]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(names) == 44
    assert peak < 20 * MEGABYTE


# -- the last look -------------------------------------------------------------------------------------------

SECRET = (name_leak_term("Els", "Geheim"), leak_term("phone", "+32 470 12 34 56"))


@pytest.mark.parametrize("text", ["Els Geheim belde", "GEHEIM Els", "bel 0470/12.34.56", "Els\nGeheim"])
def test_a_leak_term_in_a_text_stops_the_release(text: str) -> None:
    """R-118, R-119: whatever the steps before have let through; what was found is not repeated."""
    with pytest.raises(LeakFound) as caught:
        package(compilation(items=(fiche(2, text),), withheld=(), leak_terms=SECRET))
    assert caught.value.exit_code == 5
    assert caught.value.code == "needle"
    assert "Geheim" not in f"{caught.value}{caught.value.hint}{caught.value.where}"


@pytest.mark.parametrize(
    "changes",
    [
        {"contexts": (msgspec.structs.replace(DOSSIER, recipients=(Recipient("zie Els Geheim"),)),)},
        {"items": (msgspec.structs.replace(GIFT, title="van Els Geheim"),)},
        {"items": (msgspec.structs.replace(GIFT, fields=(Field("name", "Geheim en zonen"),)),)},
    ],
    ids=["recipient", "title", "field"],
)
def test_a_leak_term_is_found_wherever_it_stands(changes: dict[str, Any]) -> None:
    with pytest.raises(LeakFound):
        package(compilation(leak_terms=SECRET, **changes))


@pytest.mark.parametrize("name", ["letter.pdf", "index.html", "data.json", "data.csv/data.csv"])
def test_each_kind_of_file_is_looked_into(name: str) -> None:
    """Found in that file alone: the others have nothing."""
    clean = package(compilation(right="portability"))
    bad = package(compilation(right="portability", leak_terms=(), items=(msgspec.structs.replace(GIFT, title="van Els Geheim"),)))
    with pytest.raises(LeakFound) as caught:
        list(searched_files(compilation(leak_terms=SECRET), {**clean, name: bad[name]}.items(), ORGANISATION))
    assert caught.value.where == name


def packed(name: str, content: bytes) -> bytes:
    """A document as text processors write it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        packed("word/document.xml", b"<w:p><w:t>Els Ge</w:t></w:r><w:r><w:t>heim</w:t></w:p>"),
        packed("Els Geheim.txt", b""),
        packed("brief.docx", packed("word/document.xml", b"<w:t>Els Geheim</w:t>")),
        b"\xff\xd8\xff\xe1\x00\x20Exif\x00\x00Els Geheim\x00\x01",
    ],
    ids=["document", "name of a part", "document in an archive", "head of a picture"],
)
def test_a_leak_term_is_found_inside_documents_and_at_the_head_of_pictures(content: bytes) -> None:
    """EXP-06: what whoever looks at the file does not see."""
    with pytest.raises(LeakFound):
        list(searched_files(compilation(leak_terms=SECRET), {"attachments/attachment-1.bin": content}.items(), ORGANISATION))


@pytest.mark.parametrize("content", [b"PK\x03\x04 is no archive", packed("a.xml", b"<t>Lotte</t>")], ids=["none", "about the person"])
def test_other_documents_go_out(content: bytes) -> None:
    list(searched_files(compilation(leak_terms=SECRET), {"attachments/attachment-1.docx": content}.items(), ORGANISATION))


def test_an_id_in_a_text_stops_the_release() -> None:
    """R-123."""
    with pytest.raises(LeakFound):
        package(compilation(items=(fiche(2, f"zie {ROW}"),), withheld=()))


def test_the_fixed_texts_of_a_letter_are_about_nobody() -> None:
    """A family that is called Klacht or Brief does not stop every letter."""
    assert package(compilation(leak_terms=(name_leak_term("Jan", "Klacht"), name_leak_term("Els", "Brief"))))


def test_a_name_in_the_name_of_a_file_stops_the_release() -> None:
    attachment = msgspec.structs.replace(PHOTO.attachment, name="els-geheim.png")  # type: ignore[type-var]
    named = compilation(items=(msgspec.structs.replace(PHOTO, attachment=attachment),), leak_terms=SECRET)
    with pytest.raises(LeakFound):
        package_of(named, ORGANISATION, {"els-geheim.png": a_picture()})


# -- the working copy ----------------------------------------------------------------------------------------


def test_a_working_copy_lies_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """Contract 5: what waits is there as it is proposed, with its state, and nobody else may enter."""
    waiting = fiche(5, "Een voorstel.", status=ItemStatus.PENDING_REVIEW)
    names = write_plain(compilation(items=(PERSON, waiting, PHOTO)), ORGANISATION, PICTURE, tmp_path / "copy")
    assert names == ["attachments/attachment-1.png", "data.json", "index.html", "letter.pdf", "manifest.json"]
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o700
    items = json.loads((tmp_path / "copy" / "data.json").read_text())["items"]
    assert [(item["item"], item["status"]) for item in items] == [
        ("item-1", "APPROVED"),
        ("item-5", "PENDING_REVIEW"),
        ("item-80", "APPROVED"),
    ]
    assert "UNREDACTED" not in (tmp_path / "copy" / "data.json").read_text()


def test_a_working_copy_never_goes_over_anything(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("x")
    with pytest.raises(DiskProblem):
        write_plain(compilation(), ORGANISATION, PICTURE, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_what_was_withheld_is_told_once_by_class_and_reason() -> None:
    """EXP-09."""
    compiled = compilation(
        items=(fiche(2, status=ItemStatus.WITHHELD, code="RF-03"), fiche(3, status=ItemStatus.WITHHELD, code="RF-03")),
        withheld=(Withheld("text"),),
    )
    assert data(compiled)["withheld"] == [{"class": "text", "code": "RF-03"}]
