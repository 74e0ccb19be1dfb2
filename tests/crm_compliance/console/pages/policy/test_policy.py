"""The schedule: in force with its sources and days, versions side by side, and what another one would do."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from crm_compliance.console.app import routes
from crm_compliance.console.frame.services import Services
from crm_compliance.console.pages.policy.simulation import SUBJECT
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from rules.model.roles import HUMAN_ROLES, Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases, schedule_text


def another(typist: Typist) -> bytes:
    """A schedule that keeps the six-month categories for a year."""
    text = schedule_text(typist)
    version = next(line for line in text.splitlines() if line.startswith("version:"))
    return (
        text.replace(version, 'version: "tried"')
        .replace("months: 6\n    anchor: last_activity", "months: 240\n    anchor: last_activity")
        .encode()
    )


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_everybody_reads_the_schedule_with_its_sources(org: Night, signed_in: Callable[..., Browser], role: Role) -> None:
    page = text_of(signed_in(role).page("/policy"))
    for words in ("Out-of-remit contact", "6 months", "Privacy policy §9", "until the age of 25", "RET-08", "in force"):
        assert words in page, words


def test_where_the_file_lies_is_told_to_who_can_change_it(typist: Typist, org: Night, services: Services) -> None:
    path = typist.folder / "ours.yaml"
    path.write_bytes(another(typist))
    served = Services(services.settings.model_copy(update={"policy": path}), org.store, services.clock, services.sessions)
    app = app_of(Downloads(org.store, services.clock), console=routes(served))
    for role in HUMAN_ROLES:
        page = Browser(app).sign_in(role).page("/policy")
        assert "childfocus tried in force" in text_of(page), role
        assert (str(typist.folder) in page) == (role is Role.CRM_ADMIN), role


def test_the_schedule_speaks_the_language_of_the_page(org: Night, signed_in: Callable[..., Browser]) -> None:
    dutch = signed_in(Role.DPO, "nl").page("/policy")
    assert "tot de leeftijd van 25" in text_of(dutch)
    assert "jusqu’à l’âge de 25 ans" in text_of(signed_in(Role.DPO, "fr").page("/policy"))


def test_versions_stand_side_by_side(typist: Typist, org: Night, signed_in: Callable[..., Browser]) -> None:
    dpo = signed_in(Role.DPO)
    assert "There is one version only" in text_of(dpo.page("/policy/diff"))
    text = another(typist).decode()
    org.store.policies.remember("f" * 64, "tried", text)
    page = dpo.page("/policy/diff")
    assert "months" in text_of(page)
    assert "240" in page
    assert "Erases earlier" in text_of(page)
    assert dpo.get("/policy?version=nothing").status_code == 404


def test_another_schedule_is_tried_and_nothing_is_written(
    typist: Typist, org: Night, services: Services, signed_in: Callable[..., Browser]
) -> None:
    people_and_cases(org)
    admin, auditor = signed_in(Role.CRM_ADMIN), signed_in(Role.AUDITOR)
    file = another(typist)
    assert 'name="file"' not in auditor.page("/policy/simulation")
    answer = admin.client.post("/policy/simulation", data={"csrf": admin.token}, files={"file": ("new.yaml", file)})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/policy/simulation")
    assert (work := services.background.of(SUBJECT)) is not None
    assert work.wait(60)
    page = text_of(auditor.page("/policy/simulation"))
    assert "against tried" in page
    assert "2 goes now, would stay" in page
    assert list(org.store.plans.newest()) == []


@pytest.mark.parametrize(("name", "content"), [("empty", b""), ("no schedule", b"a: 1\n"), ("no text", b"\xff\xfe")])
def test_what_is_no_schedule_is_refused(org: Night, signed_in: Callable[..., Browser], name: str, content: bytes) -> None:
    admin = signed_in(Role.CRM_ADMIN)
    answer = admin.client.post("/policy/simulation", data={"csrf": admin.token}, files={"file": ("new.yaml", content)})
    assert answer.status_code == 400, name
    assert "Nothing has been tried yet" in text_of(admin.page("/policy/simulation"))


def test_what_is_wrong_in_a_schedule_is_told_one_a_line_with_its_number(typist: Typist, signed_in: Callable[..., Browser]) -> None:
    def refused(content: bytes, language: str = "en") -> str:
        admin = signed_in(Role.CRM_ADMIN, language)
        answer = admin.client.post(
            "/policy/simulation", data={"csrf": admin.token}, files={"file": ("new.yaml", content)}, headers={"HX-Request": "true"}
        )
        assert answer.status_code == 400
        return str(answer.text).split("<details", 1)[0]

    told = refused(b"a: [1\nb: 2")
    assert "This schedule is not in order. Nothing was tried." in told
    assert re.findall(r"<li>(Line \d+): <span lang=\"en\">(this is not YAML: [^<]+)</span></li>", told)[0][0] == "Line 2"
    wrong = b"".join(b"wrong_%d: 1\n" % number for number in range(7))
    told = refused(wrong + another(typist))
    found = re.findall(r"<li>Line (\d+): <span lang=\"en\">wrong_(\d): this key is not known[^<]*</span></li>", told)
    assert found == [(str(number + 1), str(number)) for number in range(7)]
    assert "more)" not in told
    assert "<li>Regel 1: wrong_0: deze sleutel is niet bekend</li>" in refused(wrong + another(typist), "nl")
    assert "Regel 2: dit is geen YAML: hier moet &#39;,&#39; / &#39;]&#39; staan" in refused(b"a: [1\nb: 2", "nl")
    unsaid = refused(b"a: 'x\n\n---\n", "nl")
    assert 'Vanaf hier is dit niet als YAML te lezen. <span lang="en" class="soft">this is not YAML: ' in unsaid, (
        "for which there are no words"
    )
    assert "<li>Ligne 1\u00a0: " in refused(wrong + another(typist), "fr")


def test_what_the_shipped_schedule_suggests_is_in_the_language_of_the_page(signed_in: Callable[..., Browser]) -> None:
    english, dutch, french = (text_of(signed_in(Role.DPO, language).page("/policy")) for language in ("en", "nl", "fr"))
    assert "Suggested: None; the controller decides" in english
    for page in (dutch, french):
        assert "the controller decides" not in page
        assert "Privacy policy" not in page
    assert "Geen; de verwerkingsverantwoordelijke beslist" in dutch
    assert "Politique de confidentialité §9" in french
