"""An answer on its way out: the archive, its passphrase, the link (R-106, R-107, R-117 to R-128). Everybody
is fictitious."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pyzipper
import requests

from connectors.interface.errors import Forbidden
from crm_compliance.answer_package import outbox as outboxes
from crm_compliance.answer_package.message import message_text
from crm_compliance.answer_package.page import page_html
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from crm_compliance.service.web.server import listening
from jobs.model.privileges import NEEDS
from jobs.model.request import HANDOVER, PACKAGE, Handover
from jobs.register.request_steps import actor_of
from jobs.requests.answer.compile import compile_request
from jobs.requests.answer.release import release_answer
from jobs.requests.answer.release_check import for_release
from jobs.requests.decisions.day_of_decision import refuse_unless_entitled
from jobs.requests.search.confirm import match_request
from rules.errors import Refused, UsageError
from rules.model.requests import Outcome, RequestState
from tests.crm_compliance.answer_package.pages import opened, pictures_of, text_of
from tests.crm_compliance.cli.requests.family import lotte
from tests.crm_compliance.cli.requests.releases import LOTTE_ASKS, release
from tests.crm_compliance.cli.requests.suspects import JAN, PIET, jan, suspect
from tests.crm_compliance.web import serving
from tests.crm_compliance.worlds import Worlds
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import DORA, ERIK, Typist

GUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def approved_child(typist: Typist, org: Night) -> str:
    """A child of fourteen with a dossier, in which a reporter has a name, whose answer is approved."""
    person = lotte(org)
    reporter = org.contact(firstname="Annelies", lastname="Verstraeten (fictief)", emailaddress1="annelies@example.org")
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    org.fiche("grooming", dossier=dossier, cf_summary="Lotte chat al weken met iemand. Annelies Verstraeten (fictief) belde erover.")
    org.party(person, "child", dossier=dossier)
    org.party(reporter, "reporter", dossier=dossier)
    asking = Asking(typist).open(LOTTE_ASKS, kind="child").identify().confirm(person)
    asking.compile()
    return asking.approve_all().id


@pytest.fixture
def child(worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> Asking:
    """The approved answer to a child."""
    return Asking(typist, worlds.begin(request, approved_child))


def test_a_released_answer_is_an_encrypted_archive_with_its_passphrase_apart(child: Asking, typist: Typist) -> None:
    """Contract 3.6, 5; EXP-16, EXP-18."""
    said, files = release(child)
    assert said.keys() >= {"file", "sha256", "link", "expires_at", "message"}
    message = Path(said["message"])
    assert (message.name, oct(message.stat().st_mode & 0o777)) == ("answer.zip.message.txt", "0o600")
    text = message.read_text(encoding="utf-8")
    assert said["link"] in text.splitlines()
    assert "7-Zip" in text
    assert (typist.folder / "answer.txt").read_text(encoding="utf-8") not in text
    zipped = (typist.folder / "answer.zip").read_bytes()
    assert said["sha256"] == hashlib.sha256(zipped).hexdigest()
    assert said["expires_at"].startswith("2026-12-09T11:")
    assert (typist.folder / "answer.txt").stat().st_mode & 0o777 == 0o600
    assert sorted(files) == ["data.json", "index.html", "letter.pdf", "manifest.json"]
    manifest = json.loads(files["manifest.json"])["files"]
    assert manifest == {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(set(files) - {"manifest.json"})}
    row = child.row()
    assert (row.state, row.outcome, row.package_sha256) == (RequestState.RELEASED, Outcome.DELIVERED, said["sha256"])
    assert [word.who for word in row.approvals] == ["dora", "erik"]
    with child.context() as context:
        assert not context.store.requests.has_part(child.id, HANDOVER)


def test_a_link_that_leads_to_this_machine_is_released_with_a_warning(child: Asking, typist: Typist) -> None:
    """EXP-16: nobody else could open it."""
    said = typist.type("requests", "release", child.id, "--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt",
                       *ERIK, "--json")  # fmt: skip
    assert said.code == 0
    assert said.document["link"].startswith("http://127.0.0.1:8080/d/")
    (warning,) = said.document["warnings"]
    assert "PUBLIC_URL" in warning
    assert f"warning: {warning}" in said.err


def test_nothing_in_it_leads_to_the_reporter_or_to_a_row(child: Asking) -> None:
    """R-118, R-119, R-123: no name, no address of the reporter and no id, in any file or name of one."""
    _, files = release(child)
    told = text_of(files["letter.pdf"])
    assert "Lotte chat al weken" in told
    assert "melding door een derde" in told
    for text in (told.encode(), *files.values(), *(name.encode() for name in files)):
        assert b"Annelies" not in text
        assert b"Verstraeten" not in text
        assert b"annelies@example.org" not in text
        assert not GUID.search(text)
    assert "116000" in told  # a child gets a page of its own (EXP-10)


def test_the_link_hands_out_the_same_archive(child: Asking, typist: Typist) -> None:
    """EXP-16: the same bytes that the second person has in hand, and a receipt."""
    typist.set(PUBLIC_URL="https://privacy.example.org/antwoord")
    said, _ = release(child)
    assert said["link"].startswith("https://privacy.example.org/antwoord/d/")
    assert said["warnings"] == []
    token = said["link"].rpartition("/")[2]
    with child.context() as context, listening(0) as listener:
        with serving(app_of(Downloads(context.store, context.clock)), listener) as root:
            answer = requests.get(f"{root}/d/{token}", timeout=10)
        kinds = [entry.kind for entry in context.store.ledger.entries()]
    assert hashlib.sha256(answer.content).hexdigest() == said["sha256"]
    assert kinds[-1] == "request_downloaded"
    assert len(child.row().downloads) == 1
    assert token not in json.dumps(typist.ask("requests", "show", child.id))


def test_a_passphrase_is_never_written_over(child: Asking, typist: Typist) -> None:
    (typist.folder / "old.txt").write_text("x")
    error = typist.refused(
        "requests", "release", child.id, "--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "old.txt", *ERIK, code=2
    )
    assert "already" in error["message"]
    assert (typist.folder / "old.txt").read_text() == "x"
    assert not (typist.folder / "a.zip").exists()
    assert child.row().state is RequestState.APPROVED


@pytest.mark.parametrize(("output", "secret"), [("none/a.zip", "a.txt"), ("a.zip", "none/a.txt"), ("a.zip", "a.zip")])
def test_a_place_that_cannot_be_written_is_said_before_anything_happens(child: Asking, typist: Typist, output: str, secret: str) -> None:
    files = ("--output", typist.folder / output, "--passphrase-file", typist.folder / secret)
    typist.refused("requests", "release", child.id, *files, *ERIK, code=2)
    assert child.row().state is RequestState.APPROVED
    assert not [path for path in typist.folder.iterdir() if path.name.startswith("a.")]


def test_whoever_approved_the_content_does_not_release(child: Asking, typist: Typist) -> None:
    """R-126; R-127 for the role."""
    files = ("--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt")
    assert typist.refused("requests", "release", child.id, *files, "--as", "dora", "--role", "approver", code=5)["code"] == "same_person"
    assert typist.refused("requests", "release", child.id, *files, "--as", "carl", "--role", "crm_admin", code=5)["code"] == "role"
    assert not list(typist.folder.glob("a.*"))


def test_where_the_register_does_not_take_it_nothing_is_left(child: Asking, typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes the request meanwhile wins; no archive and no passphrase lie about."""

    def changed(*_: Any, **__: Any) -> Any:
        raise Refused("somebody else was quicker")

    files = {"archive": typist.folder / "a.zip", "passphrase_file": typist.folder / "a.txt"}
    with child.context() as context, monkeypatch.context() as patched:
        patched.setattr(type(context.store.requests), "save", changed)
        outbox = outboxes.FileOutbox(context.organisation, **files, public_url="http://127.0.0.1:8080")
        with pytest.raises(Refused, match="quicker"):
            release_answer(context, child.id, "erik", "approver", outbox)
    assert not list(typist.folder.glob("*a.*"))
    assert child.row().state is RequestState.APPROVED


def test_a_release_that_is_killed_before_the_register_has_it_is_repeated_with_the_same_names(child: Asking, typist: Typist) -> None:
    killed = f"""
import os, signal
from pathlib import Path
from crm_compliance.answer_package.outbox import FileOutbox
here = Path({str(typist.folder)!r})
with FileOutbox(None, archive=here / "a.zip", passphrase_file=here / "a.txt", public_url="").putting(b"x", "een zin", "bericht"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", killed], timeout=60, check=False).returncode == -signal.SIGKILL
    left = [each for each in typist.folder.iterdir() if each.name.startswith(".a.")]
    assert (len(left), list(typist.folder.glob("a.*"))) == (3, [])
    assert not [each for each in left if b"een zin" in each.read_bytes()]  # under other names, nothing would remove it
    typist.ask("requests", "release", child.id, "--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt", *ERIK)
    assert not [each for each in left if each.exists()]
    with pyzipper.AESZipFile(typist.folder / "a.zip") as archive:
        archive.setpassword((typist.folder / "a.txt").read_bytes())
        assert archive.read("letter.pdf").startswith(b"%PDF")


def test_an_archive_has_not_the_ending_of_another_format(child: Asking, typist: Typist) -> None:
    release = ("requests", "release", child.id, "--output", typist.folder / "a.pdf", "--passphrase-file", typist.folder / "a.txt", *ERIK)
    assert typist.refused(*release, code=2)["hint"] == "use one of .zip"
    assert child.row().state is RequestState.APPROVED


def test_a_release_that_is_repeated_hears_that_the_answer_is_released(child: Asking, typist: Typist) -> None:
    """And not that its passphrase file is there, which another name would not help."""
    release = ("requests", "release", child.id, "--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt", *ERIK)
    typist.ask(*release)
    before = (typist.folder / "a.txt").read_bytes()
    assert typist.refused(*release, code=5)["code"] == "state"
    assert (typist.folder / "a.txt").read_bytes() == before


def test_what_a_release_that_was_killed_has_begun_goes_when_it_is_repeated(child: Asking, typist: Typist) -> None:
    """The register had taken it: nothing else is ever written to these names, and one of them has the
    passphrase."""
    release = ("requests", "release", child.id, "--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt", *ERIK)
    typist.ask(*release)
    given = {path: path.read_bytes() for path in typist.folder.glob("a.*")}
    left = [typist.folder / f".{name}.abcd1234.part" for name in ("a.zip", "a.zip.message.txt", "a.txt")]
    for path in (*left, typist.folder / ".b.txt.abcd1234.part"):
        path.write_text("een zin")
    with left[0].open("rb") as at_work:
        fcntl.flock(at_work, fcntl.LOCK_EX)
        assert typist.refused(*release, code=5)["code"] == "state"
    assert sorted(typist.folder.glob(".*.part")) == [left[0], typist.folder / ".b.txt.abcd1234.part"]
    typist.refused(*release, code=5)
    assert not left[0].exists()
    assert {path: path.read_bytes() for path in typist.folder.glob("a.*")} == given


@pytest.mark.parametrize("begun", [False, True])
def test_of_two_releases_with_one_passphrase_file_the_first_keeps_it(child: Asking, typist: Typist, begun: bool) -> None:
    """Each of them began before the file was there; nobody could open an archive of which it is lost."""
    secret = typist.folder / "a.txt"
    with child.context() as context:
        of = context.organisation
    made = [outboxes.FileOutbox(of, archive=typist.folder / f"{name}.zip", passphrase_file=secret, public_url="") for name in "ab"]

    def first() -> None:
        with made[0].putting(b"a", "een zin", "bericht"):
            pass

    def second() -> None:
        with made[1].putting(b"b", "andere zin", "bericht"):
            released.append("b")
            first()

    released: list[str] = []
    if not begun:
        first()
    with pytest.raises(UsageError, match="there already"):
        second()
    assert (released, secret.read_text(), [path.name for path in typist.folder.glob("*.zip")]) == (["b"] * begun, "een zin", ["a.zip"])


def test_what_a_release_that_is_cut_off_could_not_write_is_in_the_console(
    child: Asking, typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The register says that it is released by then, and no other release can be made: without, nobody would
    have the answer."""

    def cut_off(*_: Any) -> None:
        raise OSError(5, "cut off")

    files = {name: typist.folder / f"a.{name}" for name in ("zip", "txt")}
    with monkeypatch.context() as patched:
        patched.setattr("crm_compliance.host.files.os.replace", cut_off)
        typist.refused("requests", "release", child.id, "--output", files["zip"], "--passphrase-file", files["txt"], *ERIK, code=2)
    assert (child.row().state, files["zip"].exists()) == (RequestState.RELEASED, False)
    with child.context() as context:
        handover = msgspec.json.decode(context.store.requests.part(child.id, HANDOVER) or b"", type=Handover)
        package = context.store.requests.part(child.id, PACKAGE) or b""
    files["zip"].write_bytes(package)
    assert "/d/" in handover.message
    with pyzipper.AESZipFile(files["zip"]) as opened_again:
        opened_again.setpassword(handover.passphrase.encode())
        assert opened_again.read("letter.pdf").startswith(b"%PDF")
    again = ("--output", typist.folder / "b.zip", "--passphrase-file", typist.folder / "b.txt")
    error = typist.refused("requests", "release", child.id, *again, *ERIK, code=5)
    assert (error["code"], "are on the page of the request" in error["hint"]) == ("state", True)


def test_a_leak_term_stops_the_release(child: Asking, typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the steps before have let through."""
    place = "crm_compliance.answer_package.package.page_html"
    monkeypatch.setattr(place, lambda answer: page_html(answer) + b"<!-- --><p>Verstraeten, Annelies</p>")
    files = ("--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt")
    error = typist.refused("requests", "release", child.id, *files, *ERIK, code=5)
    assert (error["code"], error["where"]) == ("needle", "index.html")
    assert "Annelies" not in json.dumps(error)
    assert not list(typist.folder.glob("a.*"))
    assert child.row().state is RequestState.APPROVED


def test_a_leak_term_in_the_message_stops_the_release(child: Asking, typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """EXP-06: the message is beside the archive, not encrypted; it is looked at without its link, which is
    chance."""
    searched: list[str] = []

    def leaking(*given: Any, **more: Any) -> str:
        searched.append(more["link"])
        return message_text(*given, **more) + ("Verstraeten, Annelies\n" if len(searched) > 1 else "")

    monkeypatch.setattr(outboxes, "message_text", leaking)
    files = ("--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "a.txt")
    error = typist.refused("requests", "release", child.id, *files, *ERIK, code=5)
    assert (error["code"], error["where"]) == ("needle", "message.txt")
    assert f"requests compile {child.id}" in error["hint"]
    assert "Annelies" not in json.dumps(error)
    assert set(searched) == {""}
    assert not list(typist.folder.glob("a.*"))
    assert child.row().state is RequestState.APPROVED


def test_the_working_copy_is_not_encrypted_and_is_the_dpos_own(child: Asking, typist: Typist) -> None:
    """Contract 5."""
    other = Asking(typist).open(LOTTE_ASKS, kind="child").identify().confirm(child.compilation.items[0].source[1])
    said = other.compile("--plain-folder", str(typist.folder / "copy"))
    assert sorted(Path(name).name for name in said["files"]) == ["data.json", "index.html", "letter.pdf", "manifest.json"]
    assert "Werkexemplaar" in (typist.folder / "copy" / "index.html").read_text(encoding="utf-8")
    assert (typist.folder / "copy").stat().st_mode & 0o777 == 0o700


def test_the_working_copy_has_the_files_that_somebody_has_to_look_at(typist: Typist, org: Night) -> None:
    """EXP-07: the review names the file, and the DPO finds it."""
    person = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0)
    org.party(person, "child", dossier=dossier)
    picture = b"\x89PNG\r\n\x1a\n\0"
    body = {"filename": "foto.png", "mimetype": "image/png", "isdocument": True, "documentbody": base64.b64encode(picture).decode()}
    org.note("cf_dossier", dossier, **body)
    asking = Asking(typist).open(LOTTE_ASKS, kind="child").identify().confirm(person)
    asking.compile("--plain-folder", str(typist.folder / "copy"))
    assert (typist.folder / "copy" / "attachments" / "attachment-1.png").read_bytes() == picture
    shown = typist.type("requests", "review", asking.id).out
    assert "attachment-1.png" in shown


def test_a_file_of_decisions_that_cannot_be_used_is_named(typist: Typist, org: Night) -> None:
    asking = Asking(typist).open(LOTTE_ASKS, kind="child").identify().confirm(lotte(org))
    asking.compile()
    decisions = typist.folder / "decisions.jsonl"
    review = ("requests", "review", asking.id, "--decisions", decisions, *DORA)
    assert str(decisions) in typist.refused(*review, code=2)["message"]
    decisions.write_text('{"item": "item-1", "status": "APPROVED"}\n{"item": "item-99", "status": "APPROVED"}\n', encoding="utf-8")
    assert typist.refused(*review, code=2)["where"] == f"{decisions}:2"


@pytest.mark.parametrize("language", ["nl", "fr", "de", "en"])
def test_two_neutral_packages_are_one_but_for_what_they_must(typist: Typist, org: Night, language: str) -> None:
    """R-106, SUS-04: an unknown person and one who is only a suspect; text, pictures, metadata, names and
    manifest."""
    person = jan(org)
    suspect(org, person, org.dossier("grooming", closed=False))
    made = []
    for given, contacts in ((JAN, (person,)), (PIET, ())):
        asking = Asking(typist).open(given, language=language).identify().confirm(*contacts)
        asking.compile()
        asking.approve_all()
        said, files = release(asking, asking.id)
        made.append((files, said))
        assert asking.row().outcome is Outcome.NEUTRAL
        with asking.context() as context:
            assert context.store.requests.part(asking.id, PACKAGE) is not None
    (one, one_said), (other, other_said) = made
    assert sorted(one) == sorted(other) == ["letter.pdf", "manifest.json"]
    assert one_said.keys() == other_said.keys()
    texts = [masked(text_of(files["letter.pdf"])) for files in (one, other)]
    assert texts[0] == texts[1]
    assert "15" in texts[0]
    assert masked(re.sub(r"[0-9a-f]{64}|T[\d:]+", "", one["manifest.json"].decode())) == masked(
        re.sub(r"[0-9a-f]{64}|T[\d:]+", "", other["manifest.json"].decode())
    )
    with opened(one["letter.pdf"]) as a, opened(other["letter.pdf"]) as b:
        assert {key: str(value) for key, value in a.docinfo.items()} == {key: str(value) for key, value in b.docinfo.items()}
        assert a.Root.Metadata.read_bytes() == b.Root.Metadata.read_bytes()
    for (width, height, pixels), (wide, high, others) in zip(pictures_of(one["letter.pdf"]), pictures_of(other["letter.pdf"]), strict=True):
        assert (width, height) == (wide, high)
        body = slice(240 * width, 770 * width)  # between the reference and the foot of the page
        assert pixels[body] == others[body]


def masked(text: str) -> str:
    return re.sub(r"request-[0-9a-f]+|DSR-2026-[0-9A-Z]{4}-[0-9A-Z]{4}|(Jan Wouterlood|Piet Onbekend) \(fictief\)", "…", text)


def test_a_neutral_answer_is_the_text_and_nothing_else_also_in_the_archive(typist: Typist, org: Night) -> None:
    """RF-00."""
    asking = Asking(typist).open(PIET, language="en").identify().confirm()
    asking.compile()
    _, files = release(asking.approve_all())
    assert "There are no personal data that we can communicate to you under Article 15 GDPR." in text_of(files["letter.pdf"])


def test_a_donor_takes_along_one_json_and_one_table(typist: Typist, org: Night) -> None:
    """R-100, RGT-14."""
    person = org.contact(firstname="Piet", lastname="Onbekend (fictief)", emailaddress1="piet@example.org")
    org.patch("cf_donations", org.donation(person), cf_amount=25.0)
    asking = Asking(typist).open(PIET, kind="donor", right="portability").identify().confirm(person)
    assert asking.compile()["answer"] == "package"
    typist.ask("requests", "decide", asking.id, "--grant", *DORA)
    _, files = release(asking.approve_all())
    assert sorted(files) == ["data.csv/data.csv", "data.json", "index.html", "letter.pdf", "manifest.json"]
    assert b"25" in files["data.csv/data.csv"]
    assert files["data.csv/data.csv"].decode().startswith('"item"')


def test_a_refusal_goes_out_as_a_letter(typist: Typist, org: Night) -> None:
    """R-099: RF-04, with complaint and court."""
    person = lotte(org)
    org.party(person, "child", dossier=org.dossier("grooming", closed=False))
    asking = Asking(typist).open(LOTTE_ASKS, kind="child", right="portability").identify().confirm(person)
    asking.compile()
    _, files = release(asking.approve_all())
    assert sorted(files) == ["letter.pdf", "manifest.json"]
    text = text_of(files["letter.pdf"])
    assert "Dit recht geldt niet voor deze gegevens" in text
    assert "Drukpersstraat 35" in text
    row = asking.row()
    assert (row.outcome, row.refusal) == (Outcome.REFUSED, "RF-04")


def test_nothing_of_the_dossier_of_a_suspicion_is_in_the_package(typist: Typist, org: Night) -> None:
    """R-107, SUS-05: reporter in one dossier, suspect in another: no number, date, recipient or text of it,
    and no gap."""
    person = jan(org)
    mine = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0001")
    org.party(person, "reporter", dossier=mine)
    other = org.dossier("sexting", closed=False, fiches=0, cf_name="D-2019-9999")
    org.fiche("sexting", dossier=other, cf_transmittedto="Politiezone Elders (fictief)", cf_summary="Jan zou het gedaan hebben.")
    suspect(org, person, other)
    asking = Asking(typist).open(JAN, kind="reporter").identify().confirm(person)
    asking.compile()
    said, files = release(asking.approve_all())
    document = json.loads(files["data.json"])
    assert [item["item"] for item in document["items"]] == [str(number) for number in range(1, len(document["items"]) + 1)]
    assert "D-2026-0001" in text_of(files["letter.pdf"])
    for text in (text_of(files["letter.pdf"]), *(content.decode("latin-1") for content in files.values()), json.dumps(said)):
        assert not [word for word in ("D-2019-9999", "Elders", "gedaan", "sexting", "suspect", "verdacht") if word in text]


def test_a_role_that_is_narrowed_while_an_answer_is_made_again_stops_its_release(typist: Typist, org: Night) -> None:
    """SUS-05, SUS-08: the suspicion that came meanwhile is out of sight, and no read says so."""
    person, dossier = jan(org), org.dossier("grooming", closed=False)
    org.party(person, "reporter", dossier=dossier)
    asking = Asking(typist).open(JAN, kind="reporter").identify().confirm(person)
    asking.compile()
    asking.approve_all()
    with asking.context() as context:
        of_another(org, "cf_parties", suspect(org, person, dossier))
        narrow(org, prvReadcf_party="Basic")
        with pytest.raises(Forbidden, match="prvReadcf_party reaches Basic only"):
            for_release(context, asking.id, "erik", "approver")
    widen(org)
    assert asking.row().state is RequestState.APPROVED
    with pytest.raises(Refused) as refused:
        asking.release()
    assert refused.value.code == "standing_changed"


def test_a_role_that_is_narrowed_while_a_person_is_looked_for_gives_no_shorter_list(typist: Typist, org: Night) -> None:
    person = jan(org)
    asking = Asking(typist).open(JAN, kind="reporter").identify()
    before = asking.row()
    with asking.context() as context:
        of_another(org, "contacts", person)
        narrow(org, prvReadContact="Basic")
        with pytest.raises(Forbidden, match="prvReadContact reaches Basic only"):
            match_request(context, asking.id, actor_of(context, "dora", "dpo"))
    widen(org)
    assert asking.row() == before
    asking.confirm(person)


@pytest.mark.parametrize("right", ["access", "objection"])
def test_a_role_that_is_narrowed_while_an_answer_is_compiled_or_decided_about_makes_none(typist: Typist, org: Night, right: str) -> None:
    """SUS-05, SUS-08."""
    person, dossier = jan(org), org.dossier("grooming", closed=False)
    org.party(person, "reporter", dossier=dossier)
    asking = Asking(typist).open(JAN, kind="reporter", right=right).identify().confirm(person)
    asking.compile()
    before = asking.row()
    with asking.context() as context:
        of_another(org, "cf_parties", suspect(org, person, dossier))
        narrow(org, prvReadcf_party="Basic")
        with pytest.raises(Forbidden, match="prvReadcf_party reaches Basic only"):
            compile_request(context, asking.id, "dora", "dpo")
        with pytest.raises(Forbidden, match="prvReadcf_party reaches Basic only"):
            refuse_unless_entitled(context, before, asking.compilation)
    widen(org)
    assert asking.row() == before


def of_another(org: Night, table_set: str, row: str) -> None:
    """Give a row to a colleague: who may read their own alone does not see it."""
    other = org.create("systemusers", "systemuserid", firstname="Bram", lastname="Maes (fictief)", domainname="bram@example.invalid")
    org.patch(table_set, row, **{"ownerid@odata.bind": f"/systemusers({other})"})


def narrow(org: Night, **depths: str) -> None:
    """Leave the application user what it needs, but these rights no further than said."""
    needed = [*org.connector.least_role(NEEDS), *org.connector.cleaning_role(), *org.connector.answering_role()]
    rights = {line.name: line.depth for line in needed} | depths
    body = {"user": org.connector.whoami(), "set": rights}
    requests.put(f"{org.emulator.root}/_emulator/privileges", json=body, timeout=30).raise_for_status()


def widen(org: Night) -> None:
    body = {"user": org.connector.whoami(), "administrator": True}
    requests.put(f"{org.emulator.root}/_emulator/privileges", json=body, timeout=30).raise_for_status()
