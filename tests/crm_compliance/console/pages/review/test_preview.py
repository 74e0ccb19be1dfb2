"""The package on the console before it is released: as the person will see it, or as a working copy that says
why. Everybody is fictitious."""

import base64
import json
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image
from pypdfium2 import PdfDocument
from starlette.applications import Starlette

from rules.model.roles import Role
from tests.crm_compliance.cli.requests.family import LOTTE, lotte
from tests.crm_compliance.console.browser import Browser
from tests.crm_compliance.console.live import live
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import Typist


def compiled(typist: Typist, org: Night) -> Asking:
    """One text to review, in the file of a child whose parent is in it too."""
    child, parent = lotte(org), org.contact(firstname="Hendrika", lastname="Quaghebeur")
    dossier = org.dossier("grooming", closed=False, fiches=0)
    org.fiche("grooming", dossier=dossier, cf_summary="<b>Lotte</b> belt over Hendrika Quaghebeur.", cf_name="F-2026-0001")
    org.party(child, "child", dossier=dossier)
    org.party(parent, "parent", dossier=dossier)
    asking = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child)
    asking.compile()
    return asking


def package(browser: Browser, asking: Asking, query: str = "") -> str:
    answer = browser.get(f"/requests/{asking.id}/preview/package{query}", **{"HX-Request": "true"})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_while_something_waits_it_is_a_working_copy_and_then_what_goes_out(asking: Asking, signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.DPO)
    assert "The package is being made" in browser.page(f"/requests/{asking.id}/preview")
    assert "This is a working copy" in package(browser, asking)
    assert "Werkexemplaar" in browser.page(f"/requests/{asking.id}/preview/files/index.html")
    asking.approve_all()
    second = signed_in(Role.APPROVER)
    shown = package(second, asking)
    assert "This is the package as it would be released today" in shown
    page = second.get(f"/requests/{asking.id}/preview/files/index.html")
    assert ("Werkexemplaar" in page.text, "Quaghebeur" in page.text, "[ouder]" in page.text) == (False, False, True)
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-same-origin; default-src 'none'")
    assert "script" not in policy
    frame = re.search(r"<iframe[^>]*>", shown)
    assert frame is not None
    assert 'sandbox="allow-same-origin"' in frame[0]
    assert second.get(f"/requests/{asking.id}/preview/pages/1?file=letter.pdf").content.startswith(b"\x89PNG")
    assert second.get(f"/requests/{asking.id}/preview/pages/999?file=letter.pdf").status_code == 404
    taken = second.get(f"/requests/{asking.id}/preview/files/data.json?as=download")
    assert taken.headers["Content-Disposition"] == "attachment; filename*=UTF-8''data.json"
    assert "Quaghebeur" not in json.dumps(taken.json())
    assert second.get(f"/requests/{asking.id}/preview/files/.state").status_code == 404
    assert asking.typist.ask("requests", "show", asking.id)["state"] == "approved", "looking takes no step"


def test_what_would_stop_a_release_is_said_with_the_item(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    """A file that is another one by now than the one that was looked at."""
    child, dossier = lotte(org), org.dossier("grooming", closed=False, fiches=0)
    org.party(child, "child", dossier=dossier)
    note = org.note("cf_dossier", dossier, filename="foto.png", mimetype="image/png", documentbody=picture("red"), isdocument=True)
    asking = Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child").identify().confirm(child)
    asking.compile()
    asking.approve_all()
    item = next(each["item"] for each in asking.items() if each["attachment"])
    browser = signed_in(Role.DPO)
    assert "as it would be released today" in package(browser, asking)
    org.patch("annotations", note, documentbody=picture("blue"))
    typist.ask("requests", "compile", asking.id, "--as", "dora", "--role", "dpo")
    org.patch("annotations", note, documentbody=picture("red"))
    asking.decide({"item": item, "status": "APPROVED"})
    shown = package(browser, asking)
    assert "The package cannot be released like this" in shown
    assert f'href="/requests/{asking.id}/review/{item}?show=all"' in shown


def picture(colour: str) -> str:
    out = BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def test_who_may_not_see_an_answer_sees_no_package(asking: Asking, signed_in: Callable[..., Browser]) -> None:
    for role in (Role.AUDITOR, Role.CRM_ADMIN):
        for path in ("", "/package", "/files/index.html", "/pages/1?file=letter.pdf"):
            answer = signed_in(role).get(f"/requests/{asking.id}/preview{path}")
            assert (answer.status_code, "Lotte" in answer.text) == (403, False)


def test_the_page_of_the_package_stands_in_a_frame_in_which_nothing_runs(asking: Asking, app: Starlette, chrome: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    with live(app) as root:
        page = chrome.new_context(locale="en-GB").new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{root}/signin")
        page.locator("button[name=who][value=demo-ben]").click()
        page.goto(f"{root}/requests/{asking.id}/preview")
        frame = page.frame_locator("iframe")
        frame.locator("h1").first.wait_for(timeout=30_000)
        assert "Lotte" in frame.locator("body").inner_text()
        assert frame.locator("body").evaluate("getComputedStyle(document.querySelector('h1')).fontSize") != "32px", "with its own style"
        printed = PdfDocument(page.pdf(format="A4"))
        assert "Dit antwoord omvat" in "".join(each.get_textpage().get_text_range() for each in printed), (
            "its last words, far below the frame"
        )
        found = Axe().run(page)
        assert [(violation["id"], violation["nodes"][0]["html"]) for violation in found.response["violations"]] == []
        page.click("text=The letter")
        page.wait_for_selector(".preview-shown img")
        page.wait_for_function("() => document.querySelector('.preview-shown img').naturalWidth === 1240")
        page.context.close()
    assert [each for each in said if "preloaded" not in each] == []
