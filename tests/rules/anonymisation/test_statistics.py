"""What a unit that is disposed of adds to the statistics (ERA-04, section 5.2)."""

from dataclasses import fields
from datetime import date
from pathlib import Path

import msgspec

from rules.anonymisation.k_anonymity import aggregate
from rules.anonymisation.statistics import StatisticFacts, facts_of, youngest
from rules.model.decisions import Decision, Disposition, End, Reason
from rules.model.records import Contact, Dossier, Email, Fiche, Recording, Unit, UnitKind
from rules.policy.categories import Mission
from rules.policy.loader import load_policy
from rules.policy.policy import Policy

TEXT = (Path(__file__).parents[3] / "rules" / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")
POLICY: Policy = load_policy(TEXT, source="childfocus.yaml")
TODAY = date(2026, 11, 25)


def an_end(category: str, on: date, disposition: Disposition) -> End:
    return End(category, "RET-08", "birth", None, "P25Y", on, disposition)


def a_decision(*ends: End, disposition: Disposition = Disposition.ANONYMISE) -> Decision:
    ends = ends or (an_end("missing_runaway", date(2026, 11, 1), disposition),)
    end = max(end.on for end in ends if end.on is not None)
    return Decision(disposition, (Reason.EXPIRED,), end, (), tuple(end.category for end in ends), "RET-08", ends)


LOTTE = Contact(id="c1", birth_on=date(2001, 11, 1), gender="f", postcode="2000", country="België")


def a_dossier(*fiches: Fiche, **facts: object) -> Unit:
    given: dict[str, object] = {"id": "d1", "outcome": "returned", "opened_on": date(2018, 5, 4), "closed_on": date(2018, 5, 6)}
    dossier = msgspec.convert(given | facts, Dossier)
    return Unit(kind=UnitKind.DOSSIER, id="d1", etag="1", dossier=dossier, fiches=list(fiches), children=[LOTTE])


def facts(unit: Unit, decision: Decision | None = None, child: Contact | None = LOTTE) -> StatisticFacts:
    found = facts_of(unit, decision or a_decision(), POLICY, child=child, as_of=TODAY)
    assert found is not None
    return found


FIRST = Fiche(id="f1", communicated_on=date(2018, 5, 4), channel="phone", reporter_kind="parent")
SECOND = Fiche(id="f2", communicated_on=date(2018, 5, 5), channel="chat", reporter_kind="child")


def test_an_anonymised_dossier_becomes_a_row_of_bands() -> None:
    assert facts(a_dossier(SECOND, FIRST)) == StatisticFacts(
        year=2018, category="missing_runaway", mission=Mission.DISAPPEARANCE, individual=True,
        province="Antwerp", age_band="15-17", sex="f",
        outcome="returned", channel="phone", reporter_kind="parent", duration_band="2d", fiches_band="2-5",
    )  # fmt: skip


def test_a_dossier_with_a_public_alert_only_adds_to_the_total() -> None:
    """R-083, ERA-04; its disposition in a plan is delete, but the alert alone is enough."""
    for disposition in (Disposition.DELETE, Disposition.ANONYMISE):
        end = an_end("missing_runaway", date(2026, 11, 1), Disposition.ANONYMISE)
        found = facts(a_dossier(FIRST, public_alert=True), a_decision(end, disposition=disposition))
        assert found == StatisticFacts(year=2018, category="missing_runaway", mission=Mission.DISAPPEARANCE)
        assert aggregate([found] * 20, {}, POLICY).totals == {("total_disappearance", 2018): 20}


def test_a_deleted_dossier_only_adds_to_the_total() -> None:
    end = an_end("civil_party", date(2026, 11, 1), Disposition.DELETE)
    assert facts(a_dossier(FIRST), a_decision(end, disposition=Disposition.DELETE)) == StatisticFacts(
        year=2018, category="civil_party", mission=Mission.OTHER
    )


def test_a_lone_fiche_only_adds_to_the_total_of_its_year() -> None:
    unit = Unit(kind=UnitKind.FICHE, id="f1", etag="1", fiches=[FIRST])
    assert facts(unit) == StatisticFacts(year=2018, category="missing_runaway", mission=Mission.DISAPPEARANCE)
    undated = Fiche(id="f3", created_on=date(2019, 1, 2))
    assert facts(Unit(kind=UnitKind.FICHE, id="f3", etag="1", fiches=[undated])).year == 2019


def test_an_email_attached_to_nothing_counts_like_a_lone_fiche() -> None:
    unit = Unit(kind=UnitKind.EMAIL, id="e1", etag="1", email=Email(sent_on=None, created_on=date(2020, 2, 2)))
    assert facts(unit).year == 2020
    assert not facts(unit).individual


def test_recordings_and_contacts_add_nothing() -> None:
    for unit in (
        Unit(kind=UnitKind.RECORDING, id="r1", etag="1", recording=Recording()),
        Unit(kind=UnitKind.ATTACHMENT, id="n1", etag="1"),
        Unit(kind=UnitKind.CONTACT, id="c1", etag="1"),
    ):
        assert facts_of(unit, a_decision(), POLICY, child=None, as_of=TODAY) is None


def test_without_an_opening_date_the_first_fiche_gives_the_year() -> None:
    assert facts(a_dossier(SECOND, FIRST, opened_on=None)).year == 2018
    assert facts(a_dossier(FIRST, opened_on=date(1900, 1, 1))).year == 2018, "a sentinel is no date"
    assert facts(a_dossier(opened_on=None)).year is None


def test_a_mixed_dossier_counts_under_the_category_that_decided_its_end() -> None:
    """R-017, R-018: the latest end; on equal ends the one that is deleted."""
    early, late = date(2031, 5, 5), date(2036, 1, 20)
    civil = an_end("civil_party", early, Disposition.DELETE)
    assert facts(a_dossier(), a_decision(civil, an_end("exploitation_ict", late, Disposition.ANONYMISE))).category == "exploitation_ict"
    assert facts(a_dossier(), a_decision(an_end("exploitation_ict", early, Disposition.ANONYMISE), civil)).category == "civil_party"
    twins = [an_end(key, late, Disposition.ANONYMISE) for key in ("exploitation_ict", "exploitation_organised")]
    assert {facts(a_dossier(), a_decision(*ends)).category for ends in (twins, twins[::-1])} == {"exploitation_organised"}


def test_what_is_not_known_is_unknown() -> None:
    found = facts(a_dossier(outcome="100000099", closed_on=None), child=None)
    assert (found.province, found.age_band, found.sex, found.outcome) == ("BE", "unknown", "unknown", "unknown")
    assert (found.channel, found.reporter_kind, found.duration_band, found.fiches_band) == (None, None, None, None)
    assert facts(a_dossier(), child=Contact(birth_on=date(1900, 1, 1))).age_band == "unknown"
    assert facts(a_dossier(), child=Contact(birth_year=2005)).age_band == "12-14"


def test_the_youngest_child_counts() -> None:
    """A-05; a child without any birth date comes last."""
    older, younger = Contact(id="a", birth_on=date(2001, 1, 1)), Contact(id="b", birth_year=2003)
    unknown = Contact(id="0")
    for children in ([older, younger, None, unknown], [None, unknown, younger, older]):
        assert youngest(children, POLICY, as_of=TODAY) is younger
    assert youngest([None, unknown], POLICY, as_of=TODAY) is unknown
    assert youngest([None], POLICY, as_of=TODAY) is youngest([], POLICY, as_of=TODAY) is None


def test_no_identifier_has_a_place_in_the_facts() -> None:
    assert not {field.name for field in fields(StatisticFacts)} & {"id", "name", "etag", "birth_on", "postcode", "opened_on", "closed_on"}
    found = facts(a_dossier(FIRST))
    assert not {str(getattr(found, field.name)) for field in fields(found)} & {"d1", "f1", "c1", "2000", "2001-11-01", "2018-05-04"}
