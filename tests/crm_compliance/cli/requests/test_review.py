"""The page on which an answer is reviewed, from the command to the file of decisions and to its end.
Everybody is fictitious."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_compliance.reports.requests.review_page import lines_of
from tests.crm_compliance.cli.requests.family import LOTTE, lotte
from tests.crm_compliance.worlds import Worlds
from tests.drivers.asking import Asking
from tests.drivers.clock import NOW
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults
from tests.drivers.typist import DORA, ERIK, Typist
from tests.jobs.files.made import a_compound_file

TEXTS = (
    "Lotte vertelt over een chatgroep met Femke Duinmeijer (fictief).",
    "Zij belt terug. <script>alert(1)</script>",
    "Afspraak op school.",
)


def compiled(typist: Typist, org: Night) -> str:
    """A child's request with three texts that wait for a person."""
    child = lotte(org)
    dossier = org.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    for number, text in enumerate(TEXTS, 1):
        org.fiche("grooming", dossier=dossier, cf_summary=text, cf_name=f"F-2026-000{number}" + "W" * 80 * (number == 3))
    org.party(child, "child", dossier=dossier)
    asking = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child)
    asking.compile()
    return asking.id


@pytest.fixture
def asking(worlds: Worlds, request: pytest.FixtureRequest, typist: Typist) -> Asking:
    return Asking(typist, worlds.begin(request, compiled))


def written(asking: Asking, name: str = "review.html") -> Path:
    file = asking.typist.folder / name
    answer = asking.typist.ask("requests", "review", asking.id, "--output", file, *DORA)
    assert (answer["file"], answer["items"]) == (str(file), len(asking.items()))
    return file


def test_a_folder_that_is_not_free_is_said_before_anything_is_compiled_again(asking: Asking, org: Night) -> None:
    """Given twice, the command would undo what was decided, and then end with an error."""
    asking.decide({"item": asking.items()[-1]["item"], "status": "WITHHELD", "code": "RF-03"})
    folder = asking.typist.folder / "copy"
    asking.compile("--plain-folder", str(folder))
    decided = asking.items()
    org.fiche("grooming", dossier=org.rows("cf_dossiers")[0]["cf_dossierid"], cf_summary="Later bijgekomen.")
    said = asking.typist.refused("requests", "compile", asking.id, "--plain-folder", folder, *DORA, code=2)
    assert "is not empty" in said["message"]
    assert asking.items() == decided


def test_a_file_that_is_left_out_is_not_sought_in_the_working_copy(asking: Asking, org: Night) -> None:
    """Only what is told or waits is in that; whoever would release the file has to find it elsewhere."""
    (dossier,) = [row["cf_dossierid"] for row in org.rows("cf_dossiers")]
    org.party(org.contact(firstname="Femke", lastname="Duinmeijer (fictief)"), "child", dossier=dossier)
    for name, said in (("een.msg", "Femke Duinmeijer was er."), ("twee.msg", "Verzonnen.")):
        body = base64.b64encode(a_compound_file(said)).decode()
        org.note("cf_dossier", dossier, isdocument=True, filename=name, mimetype="application/vnd.ms-outlook", documentbody=body)
    folder = asking.typist.folder / "copy"
    asking.compile("--plain-folder", str(folder))
    files = {each["status"]: each for each in asking.items() if each["unread"]}
    assert sorted(files) == ["PENDING_REVIEW", "WITHHELD"]
    page, rows = written(asking).read_text("utf-8"), {row[0]: row[-1] for row in lines_of(asking.compilation.items)}
    for status, item in files.items():
        is_there, name = status == "PENDING_REVIEW", item["attachment_name"]
        assert (folder / "attachments" / name).exists() is is_there
        assert (f"<code>{name}</code> in the working copy" in page, f"{name}. It is left out" in page) == (is_there, not is_there)
        row, hint = rows[item["item"]], asking.decide({"item": item["item"], "status": "APPROVED"}, code=2)["hint"]
        assert ("in the working copy" in row, "left out: look at it" in row) == (is_there, not is_there)
        assert ("working copy" in hint, "the CRM" in hint) == (is_there, not is_there)


def test_a_review_on_the_page_becomes_decisions_that_are_taken(asking: Asking, chrome: Any, tmp_path: Path) -> None:
    """EXP-07: original beside proposal, one answer an item, by keyboard or button, and nothing else than the
    file goes out of it."""
    file = written(asking)
    assert file.stat().st_mode & 0o777 == 0o600
    context = chrome.new_context(accept_downloads=True)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    assert "0 of 3 decided" in page.inner_text("#progress")
    assert page.evaluate("() => [...document.querySelectorAll('input, textarea')].some((field) => field.spellcheck)") is False
    waiting = [item["item"] for item in asking.items() if item["needs_review"]]
    spoken = page.locator("article", has_text="chatgroep")
    assert "Femke Duinmeijer" in spoken.locator("pre").nth(0).inner_text()
    assert "Femke" not in spoken.locator("pre").nth(1).inner_text()
    assert "F-2026-0001" in spoken.locator("h2").inner_text()
    page.select_option("#show", "open")
    for key in "jajr":
        page.keyboard.press(key)
    page.locator(f"#{waiting[1]} textarea").fill("Er is teruggebeld.")
    page.locator(f"#{waiting[2]} button[data-do=WITHHELD]").click()
    assert "3 of 3 decided" in page.inner_text("#progress")
    with page.expect_download() as saved:
        page.click("#save")
    decisions = tmp_path / "decisions.jsonl"
    saved.value.save_as(decisions)
    lines = [json.loads(line) for line in decisions.read_text().splitlines()]
    assert [(line["item"], line["status"], line.get("code"), line.get("text")) for line in lines] == [
        (waiting[0], "APPROVED", None, None),
        (waiting[1], "APPROVED_REDACTED", None, "Er is teruggebeld."),
        (waiting[2], "WITHHELD", "RF-03", None),
    ]
    assert {url.split(":")[0] for url in asked} <= {"file", "blob"}
    assert said == []
    page.reload()
    page.set_input_files("#load", decisions)
    page.wait_for_function("() => document.getElementById('progress').textContent.includes('3 taken')")
    context.close()
    items = asking.typist.ask("requests", "review", asking.id, "--decisions", decisions, *DORA)
    assert [item["status"] for item in items if item["needs_review"]] == ["APPROVED", "APPROVED_REDACTED", "WITHHELD"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_keeps_nobody_out(asking: Asking, chrome: Any, scheme: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    context = chrome.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(written(asking).as_uri())
    page.locator("button[data-do=WITHHELD]").first.click()
    page.locator("button[data-do=APPROVED_REDACTED]").last.click()
    found = Axe().run(page)
    assert [(violation["id"], violation["nodes"][0]["html"]) for violation in found.response["violations"]] == []
    page.set_viewport_size({"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


def test_a_decision_on_what_an_item_was_before_is_refused(asking: Asking) -> None:
    """Compiled again, the numbers of items may mean others."""
    item = next(item for item in asking.items() if item["needs_review"])
    line = {"item": item["item"], "status": "APPROVED", "digest": "0" * 64}
    error = asking.decide(line, code=2)
    assert "something else" in error["message"]
    asking.decide(line | {"digest": item["digest"]})


def test_half_of_a_character_in_a_decision_is_refused_with_its_line_and_stores_nothing(asking: Asking) -> None:
    """What is not a character cannot be stored; the lines before it are not taken either, and the text is not
    repeated."""
    first, second, *_ = [item["item"] for item in asking.items() if item["needs_review"]]
    before = asking.items()
    lines = [{"item": first, "status": "APPROVED"}, {"item": second, "status": "APPROVED_REDACTED", "text": "Zij belde\ud800 terug."}]
    file = asking.typist.folder / "halved.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    error = asking.typist.refused("requests", "review", asking.id, "--decisions", file, *DORA, code=2)
    assert error["where"].endswith(":2")
    assert "belde" not in error["message"] + error["hint"]
    assert asking.items() == before


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\ufffe", "\U0010ffff", "\x00", "\x0b", "😀"])
def test_a_decision_may_hold_any_character(asking: Asking, sign: str) -> None:
    """A browser writes some of them as they are: a sign within a text is not an end of a line of the file."""
    item = next(item["item"] for item in asking.items() if item["needs_review"])
    line = {"item": item, "status": "APPROVED_REDACTED", "text": f"Zij belde{sign} terug."}
    file = asking.typist.folder / "as-a-browser-writes.jsonl"
    file.write_text(json.dumps(line, ensure_ascii=False) + "\r\n", "utf-8", newline="")
    found = asking.typist.ask("requests", "review", asking.id, "--decisions", file, *DORA)
    assert next(each for each in found if each["item"] == item)["status"] == "APPROVED_REDACTED"


@pytest.mark.parametrize("how", ["compile", "close"])
def test_a_page_ends_with_the_working_copies(asking: Asking, how: str) -> None:
    """ACC-08: an old page decides about other items, and a closed request leaves no copies; a file that is
    somebody's own by now stays."""
    file, other = written(asking), written(asking, "other.html")
    other.write_text("notes of my own")
    if how == "compile":
        asking.compile()
    else:
        asking.typist.ask("requests", "close", asking.id, "--outcome", "WITHDRAWN", *DORA)
    assert (file.exists(), other.exists()) == (False, True)


def test_a_working_copy_ends_where_nothing_was_delivered(asking: Asking) -> None:
    """EXP-17: with what a program that was killed had written of it; a file that is somebody's own by now
    stays, and so does a folder that was there before, empty; a later compilation takes no copy that somebody
    is reading."""
    copies = [asking.typist.folder / name for name in ("copy", "later", "kept", "theirs")]
    copies[3].mkdir()
    for copy in copies:
        asking.compile("--plain-folder", str(copy))
    (copies[1] / ".letter.pdf.0a1b2c3d.part").write_bytes(b"%PDF")
    (copies[2] / "index.html").write_text("notes of my own")
    assert len(list(copies[0].iterdir())) >= 4
    asking.typist.ask("requests", "close", asking.id, "--outcome", "WITHDRAWN", *DORA)
    assert [copy.exists() for copy in copies] == [False, False, True, True]
    assert [[file.name for file in copy.iterdir()] for copy in copies[2:]] == [["index.html"], []]


def test_a_working_copy_ends_also_where_the_job_for_requests_does_not_come_to_its_end(asking: Asking, org: Night) -> None:
    """EXP-17: the CRM fails once what has expired is removed."""
    typist, copy = asking.typist, asking.typist.folder / "copy"
    asking.compile("--plain-folder", str(copy))
    asking.approve_all()
    files = ("--output", typist.folder / "a.zip", "--passphrase-file", typist.folder / "p")
    typist.ask("requests", "release", asking.id, *ERIK, *files)
    typist.set(CLOCK=(NOW + timedelta(days=31)).isoformat())
    set_faults(org.emulator, {"match": {"method": "GET", "path": "contacts"}, "times": 99, "do": "status", "status": 500})
    assert typist.type("run", "requests").code == 4
    assert not copy.exists()


def test_the_page_is_for_the_dpo(asking: Asking) -> None:
    file = asking.typist.folder / "review.html"
    assert asking.typist.refused("requests", "review", asking.id, "--output", file, *ERIK, code=5)["code"] == "role"
    assert asking.typist.refused("requests", "review", asking.id, "--output", file.with_suffix(".txt"), *DORA, code=2)
    assert asking.typist.refused("requests", "review", asking.id, "--output", file, "--completeness", *DORA, code=2)
    assert not file.exists()
