"""How a subject request is closed, what a wrong delivery asks for, and what is left of it (contract 3.6,
ACC-08, EXP-16)."""

from datetime import UTC, datetime

import pytest

from jobs.model.request import CANDIDATES, COMPILATION, CONFIRMED, GIVEN, HANDOVER, PACKAGE, PRESERVED
from rules.model.requests import Outcome, RequestState
from tests.drivers.night import Night
from tests.drivers.requesting import at, changed, opened, steps, unreachable
from tests.drivers.typist import DORA, Typist


def released(org: Night, request: str, outcome: Outcome, refusal: str = "") -> None:
    parts: dict[str, bytes | None] = {CANDIDATES: b"c", CONFIRMED: b"{}", COMPILATION: b"{}", HANDOVER: b"{}", PACKAGE: b"zip"}
    changed(
        org,
        request,
        parts,
        state=RequestState.RELEASED,
        answer="package",
        outcome=outcome,
        refusal=refusal,
        released_at=datetime(2026, 11, 25, 11, tzinfo=UTC),
        link="digest",
        link_until=datetime(2026, 12, 9, 11, tzinfo=UTC),
    )


def test_a_released_request_is_closed_with_its_own_outcome_and_leads_to_no_file_any_more(typist: Typist, org: Night) -> None:
    """ACC-08."""
    request = opened(typist)
    released(org, request, Outcome.DELIVERED)
    close = ("requests", "close", request, *DORA, "--outcome")
    for other in ("NEUTRAL", "DONE", "WITHDRAWN", "REFUSED:RF-08", "NOT_IDENTIFIED"):
        error = typist.refused(*close, other, code=5)
        assert (error["code"], error["hint"]) == ("outcome", "what fits: DELIVERED")
    document = typist.ask(*close, "DELIVERED")
    assert (document["state"], document["outcome"]) == ("closed", "DELIVERED")
    left = [
        name for name in (GIVEN, CANDIDATES, CONFIRMED, PRESERVED, COMPILATION, HANDOVER, PACKAGE) if org.store.requests.part(request, name)
    ]
    assert left == [GIVEN, PRESERVED, COMPILATION, PACKAGE]


def test_a_refusal_keeps_its_code(typist: Typist, org: Night) -> None:
    request = opened(typist)
    released(org, request, Outcome.REFUSED, "RF-02")
    assert typist.refused("requests", "close", request, "--outcome", "REFUSED:RF-05", *DORA, code=5)["code"] == "outcome"
    document = typist.ask("requests", "close", request, "--outcome", "REFUSED:RF-02", *DORA)
    assert (document["outcome"], document["refusal"]) == ("REFUSED", "RF-02")


@pytest.mark.parametrize(
    ("outcome", "identified", "fits", "refusal"),
    [
        ("WITHDRAWN", True, True, None),
        ("NOT_IDENTIFIED", False, True, "RF-01"),
        ("NOT_IDENTIFIED", True, False, None),
        ("REFUSED:RF-08", True, True, "RF-08"),
        ("REFUSED:RF-01", True, False, None),
        ("REFUSED:RF-07", True, False, None),
        ("REFUSED:RF-02", True, False, None),
        ("MANDATE_LAPSED", True, False, None),
        ("DELIVERED", True, False, None),
        ("NEUTRAL", True, False, None),
    ],
)
def test_an_outcome_that_contradicts_the_state_is_refused(
    typist: Typist, org: Night, outcome: str, identified: bool, fits: bool, refusal: str | None
) -> None:
    """A neutral answer takes every step (SUS-04): it is never closed before its release."""
    request = opened(typist)
    if identified:
        typist.ask("requests", "identify", request, "--method", "eid", *DORA)
    close = ("requests", "close", request, "--outcome", outcome, *DORA)
    if not fits:
        error = typist.refused(*close, code=5)
        assert (error["code"], error["hint"]) == ("outcome", "what fits: WITHDRAWN, REFUSED:RF-08")
        return
    document = typist.ask(*close)
    assert (document["outcome"], document["refusal"]) == (outcome.split(":")[0], refusal)
    assert org.store.requests.part(request, GIVEN) is not None


@pytest.mark.parametrize(
    ("language", "reason", "complaint", "court"),
    [
        ("nl", "Het verzoek is kennelijk buitensporig", "Drukpersstraat 35, 1000 Brussel", "naar de bevoegde rechtbank"),
        ("fr", "La demande est manifestement excessive", "rue de la Presse 35, 1000 Bruxelles", "saisir le tribunal compétent"),
        ("de", "Der Antrag ist offenkundig exzessiv", "Drukpersstraat 35, 1000 Brüssel", "das zuständige Gericht anrufen"),
        ("en", "The request is manifestly excessive", "Drukpersstraat / rue de la Presse 35", "go to the competent court"),
    ],
)
def test_rf08_whoever_is_refused_without_a_release_is_written_the_reason_the_complaint_and_the_court(
    typist: Typist, language: str, reason: str, complaint: str, court: str
) -> None:
    """RF-08, DDL-09; GDPR art. 12(4): no letter is made on this way, so that a person writes what it says."""
    request = opened(typist, language=language)
    said = typist.type("requests", "close", request, "--outcome", "REFUSED:RF-08", *DORA)
    assert "No letter of this was made. Write to the person by 2026-12-28:" in said.out
    text = typist.ask("requests", "show", request, *DORA)["to_write"]
    assert text in said.out
    assert [words for words in (reason, complaint, court) if words not in text.replace("\u00a0", " ")] == []
    assert "to_write" not in typist.ask("requests", "show", request), "for who handles requests"


@pytest.mark.parametrize("answer", ["package", "neutral", "dpo_review"])
@pytest.mark.parametrize("state", [RequestState.SEARCHING, RequestState.REVIEWING, RequestState.APPROVED])
def test_rf08_access_is_refused_as_excessive_after_it_was_compiled_too_whatever_the_answer_is(
    typist: Typist, org: Night, answer: str, state: RequestState
) -> None:
    """RF-08, RGT-02, SUS-04, ACC-08: what was compiled goes as it does of what is withdrawn."""
    request = opened(typist)
    typist.ask("requests", "identify", request, "--method", "eid", *DORA)
    parts: dict[str, bytes | None] = {CANDIDATES: b"c", CONFIRMED: b"{}", COMPILATION: b"{}", PRESERVED: b"{}"}
    changed(org, request, parts, state=state, answer=answer)
    close = ("requests", "close", request, "--outcome", "REFUSED:RF-08")
    assert typist.refused(*close, "--as", "erik", "--role", "approver", code=5)["code"] == "role"
    document = typist.ask(*close, *DORA)
    assert (document["state"], document["outcome"], document["refusal"]) == ("closed", "REFUSED", "RF-08")
    assert "kennelijk buitensporig" in document["to_write"]
    assert [name for name in (GIVEN, *parts) if org.store.requests.part(request, name)] == [GIVEN, PRESERVED]
    told = [entry.data for entry in org.store.ledger.entries() if entry.kind == "request" and entry.data["request"] == request]
    assert (told[-1]["step"], told[-1]["outcome"], told[-1]["refusal"], told[-1]["role"]) == ("close", "REFUSED", "RF-08", "dpo")


@pytest.mark.parametrize(
    ("right", "outcome", "fits"),
    [("erasure", None, "WITHDRAWN"), ("access", Outcome.MANDATE_LAPSED, "WITHDRAWN, MANDATE_LAPSED")],
)
def test_what_is_decided_about_or_has_no_mandate_any_more_is_not_closed_as_excessive(
    typist: Typist, org: Night, right: str, outcome: Outcome | None, fits: str
) -> None:
    """RGT-07: whoever may not act for the child any more is told nothing of it."""
    request = opened(typist, right=right)
    typist.ask("requests", "identify", request, "--method", "eid", *DORA)
    changed(org, request, {COMPILATION: b"{}"}, state=RequestState.REVIEWING, answer="package", outcome=outcome, on_behalf=bool(outcome))
    error = typist.refused("requests", "close", request, "--outcome", "REFUSED:RF-08", *DORA, code=5)
    assert (error["code"], error["hint"]) == ("outcome", f"what fits: {fits}")


def test_access_that_somebody_wants_to_refuse_by_a_decision_is_refused_by_closing(typist: Typist) -> None:
    request = opened(typist)
    typist.ask("requests", "identify", request, "--method", "eid", *DORA)
    error = typist.refused("requests", "decide", request, "--refuse", "RF-08", *DORA, code=2)
    assert error["hint"] == "where too much is asked: crm-compliance requests close " + f"{request} --outcome REFUSED:RF-08"


def test_ddl09_a_day_to_write_by_that_has_passed_is_told_as_passed(typist: Typist) -> None:
    """A refusal has one month, whatever extension there was: its day may be over when it is made."""
    request = opened(typist)
    typist.ask("requests", "close", request, "--outcome", "REFUSED:RF-08", *DORA)
    for moment, told in (
        ("2026-12-28T12:00:00Z", "Write to the person by 2026-12-28:"),
        ("2026-12-28T23:30:00Z", "Write to the person at once: the last day was 2026-12-28, and it has passed:"),
    ):
        at(typist, moment)
        assert told in " ".join(typist.type("requests", "show", request, *DORA).out.split())


def test_nothing_is_to_be_written_of_what_was_withdrawn_or_released_or_to_somebody_whose_name_has_gone(typist: Typist, org: Night) -> None:
    ends = {"withdrawn": "WITHDRAWN", "released": "REFUSED:RF-02", "nameless": "NOT_IDENTIFIED"}
    requests = {each: opened(typist) for each in ends}
    released(org, requests["released"], Outcome.REFUSED, "RF-02")
    for each, request in requests.items():
        typist.ask("requests", "close", request, "--outcome", ends[each], *DORA)
    assert "niet vaststellen dat u de betrokken persoon bent" in typist.ask("requests", "show", requests["nameless"], *DORA)["to_write"]
    changed(org, requests["nameless"], {GIVEN: None})
    assert [each for each, request in requests.items() if "to_write" in typist.ask("requests", "show", request, *DORA)] == []


def test_a_delivery_to_the_wrong_person_kills_the_link_at_once(typist: Typist, org: Night) -> None:
    """EXP-16: 72 hours to tell the authority; the first time counts."""
    request = opened(typist)
    released(org, request, Outcome.DELIVERED)
    document = typist.ask("requests", "misdelivered", request, *DORA)
    assert document["notify_by"].startswith("2026-11-28T11:00:")
    row = org.store.requests.get(request)
    assert (row.link, row.link_until) == ("", row.misdelivered_at)
    at(typist, "2026-11-26T11:00:00Z")
    assert typist.ask("requests", "misdelivered", request, *DORA)["notify_by"] == document["notify_by"]
    assert steps(org).count("misdelivered") == 1
    said = typist.type("requests", "misdelivered", request, *DORA)
    assert "tell the data protection authority before 2026-11-28 12:00 (EXP-16)" in said.out
    assert "the link is dead" in said.out
    assert typist.ask("requests", "show", request)["notify_by"] == document["notify_by"]
    assert "tell the data protection authority before 2026-11-28 12:00 (EXP-16)" in typist.type("requests", "show", request).out


def test_a_person_reads_how_a_request_stands_and_what_comes_next(typist: Typist, org: Night) -> None:
    request = opened(typist)
    assert f"Next: crm-compliance requests identify {request} --method METHOD" in typist.type("requests", "show", request).out
    typist.ask("requests", "identify", request, "--method", "eid", *DORA)
    said = typist.type("requests", "show", request).out
    assert "identified on 2026-11-25 by eid" in said
    assert f"Next: crm-compliance requests match {request}" in said
    released(org, request, Outcome.DELIVERED_PARTLY)
    opened(typist, right="consent_withdrawal")
    lines = typist.type("requests", "list").out.splitlines()
    assert len(lines) == 5  # a heading and a line each, and what comes next: nothing is broken into lines
    assert lines[2].endswith("DELIVERED_PARTLY")
    assert lines[3].startswith("33 days left: crm-compliance requests identify ")
    assert lines[4] == f"answered: crm-compliance requests close {request} --outcome CODE"


def test_words_on_a_suspicion_do_not_outlive_the_request(typist: Typist, org: Night) -> None:
    """SUS-02, SUS-07: of a neutral answer none stays; else the rule goes and the word stays."""
    for outcome, left in ((Outcome.NEUTRAL, []), (Outcome.DELIVERED, ["", "RGT-05"])):
        request = opened(typist)
        for rule in ("SUS-11", "RGT-05"):
            typist.ask("requests", "override", request, "--rule", rule, "--reason", "X", *DORA)
        released(org, request, outcome)
        typist.ask("requests", "close", request, "--outcome", outcome.value, *DORA)
        assert [word.rule for word in org.store.requests.get(request).approvals] == left


def test_what_has_had_its_day_goes_also_where_the_crm_cannot_be_reached(typist: Typist, org: Night) -> None:
    """R-125."""
    request = opened(typist)
    released(org, request, Outcome.DELIVERED)
    typist.monkeypatch.setattr("crm_compliance.wiring.desk.checked", unreachable)
    for moment, is_there in (("2026-12-25T22:59:00Z", True), ("2026-12-25T23:00:00Z", False)):
        at(typist, moment)
        typist.refused("run", "requests", code=4)
        assert [org.store.requests.part(request, part) is not None for part in (PACKAGE, HANDOVER)] == [is_there] * 2
