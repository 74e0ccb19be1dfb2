"""The fictitious organisation has every case that the retention schedule mentions, and was cleaned until
recently."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta

from connectors.emulator.seeding.mixture import generate

AS_OF = date(2026, 11, 25)
Row = dict[str, Any]
CATEGORIES = {100000000 + number for number in (0, 1, 2, 10, 11, 12, 20, 21, 22, 23, 30, 31, 32, 33, 40, 41, 42, 43, 44, 50, 51)}
SIX_MONTHS = {100000000, 100000001}
CIVIL, RUNAWAY, INTERNATIONAL, THIRD_PARTY = 100000002, 100000030, 100000031, 100000032
UNTIL_18 = {100000010, 100000011, 100000012, 100000020, 100000021, 100000022, 100000023}
CHILD, GUARDIAN, SUSPECT, WITNESS, PROFESSIONAL = 100000000, 100000002, 100000005, 100000004, 100000006


class Crm:
    """The rows of one organisation by table, and the few questions that the tests ask."""

    def __init__(self, dossiers: int, *, seed: int = 1) -> None:
        self.tables: dict[str, list[Row]] = defaultdict(list)
        for table, row in generate(dossiers=dossiers, seed=seed, as_of=AS_OF):
            self.tables[table].append(row)
        self.contacts = {row["contactid"]: row for row in self.tables["contact"]}
        self.fiches: dict[str, list[Row]] = defaultdict(list)
        for fiche in self.tables["cf_fiche"]:
            self.fiches[fiche.get("cf_dossierid", "")].append(fiche)
        self.children: dict[str, list[Row]] = defaultdict(list)
        for party in self.tables["cf_party"]:
            if party["cf_role"] == CHILD:
                self.children[party.get("cf_dossierid") or party["cf_ficheid"]].append(self.contacts.get(party.get("cf_contactid", ""), {}))

    def due_units(self, day: date = AS_OF) -> int:
        """Dossiers and lone fiches past their end, by a plain reading of the schedule; births only where
        fully known."""
        dossiers = (self._end(row, self.fiches[row["cf_dossierid"]], row["cf_dossierid"]) for row in self.tables["cf_dossier"])
        lone = (self._end({"statecode": 1}, [fiche], fiche["cf_ficheid"]) for fiche in self.fiches[""])
        return sum(end is not None and end < day for end in [*dossiers, *lone])

    def ends(self) -> Iterator[date | None]:
        return (self._end(row, self.fiches[row["cf_dossierid"]], row["cf_dossierid"]) for row in self.tables["cf_dossier"])

    def due_recordings(self) -> int:
        ends = [row.get("cf_endedon") or row.get("cf_startedon") for row in self.tables["cf_recording"] if not row.get("cf_evidence")]
        return sum(day(end) + relativedelta(months=6) < AS_OF for end in ends if end)

    def _end(self, dossier: Row, fiches: list[Row], unit: str) -> date | None:
        if dossier.get("cf_legalhold") or any("cf_categories" not in fiche for fiche in fiches):
            return None
        categories = set().union(*(codes(row) for row in [dossier, *fiches]))
        last = max(communicated_on(fiche) for fiche in fiches)
        if "cf_reopenedon" in dossier:
            last = max(last, day(dossier["cf_reopenedon"]))
        closed = day(dossier["cf_closedon"]) if "cf_closedon" in dossier else None
        if last > AS_OF or (closed and closed > AS_OF):
            return None
        if categories <= SIX_MONTHS:
            return last + relativedelta(months=6)
        if dossier["statecode"] == 0:
            return None
        ends = [self._end_of(category, dossier, unit, last, closed) for category in categories]
        return None if None in ends else max(end for end in ends if end)

    def _end_of(self, category: int, dossier: Row, unit: str, last: date, closed: date | None) -> date | None:
        if category in SIX_MONTHS:
            return last + relativedelta(months=6)
        if category == CIVIL:
            anchor = date.fromisoformat(dossier["cf_proceedingsendedon"]) if "cf_proceedingsendedon" in dossier else closed
            return None if anchor is None or anchor > AS_OF else anchor + relativedelta(years=5)
        outcome = dossier.get("cf_outcome")
        located = outcome in (100000001, 100000002, 100000004)
        until_25 = category == RUNAWAY or (category == INTERNATIONAL and located) or (category == THIRD_PARTY and outcome == 100000002)
        if not until_25 and category not in UNTIL_18:
            return None
        births = [str(child.get("birthdate", "")) for child in self.children[unit]]
        if not births or not all("1901" < birth <= AS_OF.isoformat() for birth in births):
            return None
        age_end = max(date.fromisoformat(birth) for birth in births) + relativedelta(years=25 if until_25 else 18)
        late = max(last, closed or last)
        return late + relativedelta(months=6) if late > age_end else age_end


def day(instant: Any) -> date:
    """The civil date in Brussels, given that the seed has evening hours in one night case only."""
    return date.fromisoformat(str(instant)[:10]) + timedelta(days=str(instant)[11:13] == "23")


def communicated_on(fiche: Row) -> date:
    told = str(fiche.get("cf_communicatedon", "1900"))
    return day(fiche["createdon"] if told.startswith("1900") else told)


def codes(row: Row) -> set[int]:
    return {int(code) for code in row.get("cf_categories", "").split(",") if code}


@pytest.fixture(scope="module")
def crm() -> Crm:
    return Crm(200)


def test_every_category_is_there_on_dossiers(crm: Crm) -> None:
    assert set().union(*(codes(row) for row in crm.tables["cf_dossier"])) == CATEGORIES
    assert len({frozenset(codes(fiche)) for fiche in crm.fiches[""]}) >= 7


def test_every_outcome_of_an_abduction_and_of_a_runaway_is_there_the_empty_one_too(crm: Crm) -> None:
    outcomes = {100000000, 100000001, 100000002, 100000003, 100000004, None}
    for category in (INTERNATIONAL, THIRD_PARTY):
        assert {row.get("cf_outcome") for row in crm.tables["cf_dossier"] if category in codes(row)} == outcomes
    assert {row.get("cf_outcome") for row in crm.tables["cf_dossier"] if RUNAWAY in codes(row)} >= outcomes - {100000003}


def test_categories_can_be_mixed_missing_or_on_the_fiches_only(crm: Crm) -> None:
    dossiers = crm.tables["cf_dossier"]
    assert any({CIVIL, 100000021} <= codes(row) for row in dossiers)
    assert any({INTERNATIONAL, THIRD_PARTY} <= codes(row) for row in dossiers)
    bare = [row for row in dossiers if not codes(row)]
    assert any(all(codes(fiche) for fiche in crm.fiches[row["cf_dossierid"]]) for row in bare)
    assert any(codes(row) and not all(codes(fiche) for fiche in crm.fiches[row["cf_dossierid"]]) for row in dossiers)
    assert any(not codes(fiche) for fiche in crm.fiches[""])


def test_some_ends_lie_yesterday_today_and_tomorrow(crm: Crm) -> None:
    ends = Counter((end - AS_OF).days for end in crm.ends() if end)
    assert all(ends[days] >= 2 for days in (-1, 0, 1)), ends


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_about_a_quarter_is_due_as_after_two_months_without_cleaning(seed: int) -> None:
    crm = Crm(200, seed=seed)
    assert 40 <= crm.due_units() <= 120
    assert 10 <= crm.due_recordings() <= 40
    assert crm.due_units(AS_OF - timedelta(days=100)) < 12


def test_a_larger_organisation_has_the_same_proportions() -> None:
    crm = Crm(2000)
    assert 400 <= crm.due_units() <= 1200
    assert 100 <= crm.due_recordings() <= 400


def test_births_are_known_in_every_way_and_not_known(crm: Crm) -> None:
    children = [child for found in crm.children.values() for child in found]
    births = {child.get("birthdate", "") for child in children}
    assert births & {"1900-01-01", "1753-01-01", "9999-12-31"}
    assert any(AS_OF.isoformat() < birth < "9999" for birth in births)
    assert any(birth.endswith("-02-29") for birth in births)
    known = {
        frozenset(child.keys() & {"birthdate", "cf_birthyear", "cf_birthmonth", "cf_statedage", "cf_statedageon"}) for child in children
    }
    assert known == {
        frozenset({"birthdate"}),
        frozenset({"cf_birthyear"}),
        frozenset({"cf_birthyear", "cf_birthmonth"}),
        frozenset({"cf_birthmonth"}),
        frozenset({"cf_statedage"}),
        frozenset({"cf_statedage", "cf_statedageon"}),
        frozenset(),
    }


def test_a_register_number_can_contradict_the_birth_date(crm: Crm) -> None:
    digits = {
        child["birthdate"]: re.sub(r"\D", "", child["cf_nationalnumber"])
        for child in crm.contacts.values()
        if {"birthdate", "cf_nationalnumber"} <= child.keys()
    }
    differing = [birth for birth, number in digits.items() if number[2:6] != birth[5:7] + birth[8:10] and int(number[2:4]) <= 12]
    assert len(differing) >= 2


def test_one_child_can_be_in_two_dossiers_or_twice_in_the_crm(crm: Crm) -> None:
    dossiers_of: dict[str | None, set[str | None]] = defaultdict(set)
    for party in crm.tables["cf_party"]:
        if party["cf_role"] == CHILD and "cf_dossierid" in party:
            dossiers_of[party.get("cf_contactid")].add(party["cf_dossierid"])
    assert any(contact and len(dossiers) > 1 for contact, dossiers in dossiers_of.items())
    assert None in dossiers_of
    numbers = Counter(re.sub(r"\D", "", row["cf_nationalnumber"]) for row in crm.contacts.values() if "cf_nationalnumber" in row)
    assert max(numbers.values()) == 2


def test_siblings_share_a_dossier_and_a_surname(crm: Crm) -> None:
    siblings = [found for found in crm.children.values() if len(found) > 1]
    assert siblings
    assert all(len({child["lastname"] for child in found}) == 1 for found in siblings)


def test_every_role_is_there_on_dossiers_or_fiches(crm: Crm) -> None:
    roles = {party["cf_role"] for party in crm.tables["cf_party"]}
    assert roles == {100000000 + number for number in range(7)}
    assert any(party["statecode"] == 1 for party in crm.tables["cf_party"])
    assert any("cf_ficheid" in party and party["cf_role"] == CHILD for party in crm.tables["cf_party"])
    assert any("cf_suspectuntil" in party for party in Crm(400).tables["cf_party"])


def test_dossiers_are_open_closed_reopened_held_alerted_and_reviewed(crm: Crm) -> None:
    dossiers = crm.tables["cf_dossier"]
    assert sum(bool(row.get("cf_legalhold")) for row in dossiers) >= 3
    assert any(row.get("cf_publicalert") for row in dossiers)
    assert any("cf_reviewedon" in row for row in dossiers)
    assert any("cf_reopenedon" in row for row in dossiers)
    assert any(row["statecode"] == 0 and "cf_closedon" in row and "cf_reopenedon" not in row for row in dossiers)
    assert any(row.get("cf_closedon", "") > AS_OF.isoformat() for row in dossiers)
    assert any(row.get("cf_proceedingsendedon", "") > AS_OF.isoformat() for row in dossiers)
    civil = [row for row in dossiers if codes(row) == {CIVIL}]
    assert {("cf_proceedingsendedon" in row, "cf_closedon" in row) for row in civil} == {
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    }


def test_a_communication_date_can_be_missing_wrong_or_a_sentinel(crm: Crm) -> None:
    fiches = crm.tables["cf_fiche"]
    for lone in (True, False):
        told = [str(fiche.get("cf_communicatedon", "")) for fiche in fiches if ("cf_dossierid" not in fiche) is lone]
        assert "" in told
        assert "1900-01-01T00:00:00Z" in told
        assert max(told) > "2190"


def test_most_dossiers_have_few_fiches_and_some_have_six(crm: Crm) -> None:
    sizes = Counter(len(fiches) for dossier, fiches in crm.fiches.items() if dossier)
    assert set(sizes) == {1, 2, 3, 4, 5, 6}
    assert sizes[1] > sizes[3] > sizes[6]


def test_recordings_of_every_kind_are_there(crm: Crm) -> None:
    recordings = crm.tables["cf_recording"]
    lone = {fiche["cf_ficheid"] for fiche in crm.fiches[""]}
    for orphan in (True, False):
        those = [row for row in recordings if ("cf_ficheid" not in row) is orphan]
        assert any("cf_endedon" not in row and "cf_startedon" in row for row in those)
        assert any(row.get("cf_evidence") for row in those)
        assert {row.get("cf_takenover") for row in those} == {True, False, None}
        assert {row["cf_channel"] for row in those} == {100000000, 100000001}
        assert any("cf_storageuri" in row for row in those)
    assert any("cf_startedon" not in row and "cf_endedon" not in row for row in recordings)
    assert any(row.get("cf_endedon", "") > AS_OF.isoformat() for row in recordings)
    assert any(row.get("cf_endedon", "")[11:13] == "23" for row in recordings)
    assert any(row.get("cf_evidence") and row.get("cf_ficheid") in lone for row in recordings)
    ends = Counter((day(row["cf_endedon"]) + relativedelta(months=6) - AS_OF).days for row in recordings if "cf_endedon" in row)
    assert all(ends[days] for days in (-1, 0, 1))


def test_notes_have_text_chat_and_audio_files(crm: Crm) -> None:
    notes = crm.tables["annotation"]
    files = {(note["objectid"][0], note.get("mimetype", "").partition("/")[0]) for note in notes}
    assert files >= {("cf_fiche", ""), ("cf_fiche", "text"), ("cf_fiche", "audio"), ("cf_dossier", "text"), ("cf_dossier", "")}
    assert all(note["isdocument"] is ("documentbody" in note) for note in notes)
    assert any(note["objectid"][0] == "contact" for note in Crm(400).tables["annotation"])


def test_activities_have_parties_with_a_name_and_an_address(crm: Crm) -> None:
    parties = Counter(party["activityid"] for party in crm.tables["activityparty"])
    for table in ("phonecall", "email"):
        assert all(parties[table, row["activityid"]] >= 2 for row in crm.tables[table])
        assert {row["regardingobjectid"][0] for row in crm.tables[table] if "regardingobjectid" in row} >= {"cf_fiche", "cf_dossier"}
    assert any("regardingobjectid" not in row for row in crm.tables["email"])
    linked = [party for party in crm.tables["activityparty"] if "partyid" in party]
    assert linked
    assert all(party["partyidname"] == crm.contacts[party["partyid"][1]]["fullname"] for party in linked)


def test_people_can_be_known_in_several_ways_or_in_none(crm: Crm) -> None:
    in_dossiers = {party.get("cf_contactid") for party in crm.tables["cf_party"]}
    donors = {row["cf_contactid"] for row in crm.tables["cf_donation"]}
    volunteers = {row["cf_contactid"]: "cf_endedon" in row for row in crm.tables["cf_engagement"]}
    enrolled = {row["cf_contactid"] for row in crm.tables["cf_enrolment"]}
    assert donors & in_dossiers
    assert donors - in_dossiers
    assert volunteers.keys() & in_dossiers
    assert set(volunteers.values()) == {True, False}
    assert enrolled
    readers = {key for key, row in crm.contacts.items() if row.get("cf_newsletter")}
    assert readers & in_dossiers
    assert readers - in_dossiers
    under_account = {key for key, row in crm.contacts.items() if row.get("parentcustomerid", ("",))[0] == "account"}
    assert under_account
    unknown = crm.contacts.keys() - in_dossiers - donors - volunteers.keys() - enrolled - readers - under_account
    assert unknown
    assert any(row.get("cf_nocontact") for row in crm.contacts.values())
    dossiers_of: dict[str | None, set[str | None]] = defaultdict(set)
    for party in crm.tables["cf_party"]:
        dossiers_of[party.get("cf_contactid")].add(party.get("cf_dossierid") or party.get("cf_ficheid"))
    assert max(len(units) for contact, units in dossiers_of.items() if contact) >= 3
