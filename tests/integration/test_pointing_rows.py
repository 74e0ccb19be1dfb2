"""Lookups that the mapping does not read and by which rows of ours point to each other: what the CRM would
delete along by one is not taken along, and what it empties by one does not keep a unit from going (ERA-15,
R-158)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import running
from connectors.interface.changes import ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.errors import ReadIncomplete
from jobs.model.run import RunState
from rules.model.records import Fiche
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.integration.in_place.anonymised import a_runaway, in_place, mapped
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

LONG_AGO, LATELY = date(2018, 3, 1), date(2026, 11, 1)
MakeNight = Callable[..., Night]
POINTERS = (  # child, lookup, parent, what a delete of the parent does
    ("cf_dossier", "cf_maindossierid", "cf_dossier", "cascade"),
    ("cf_dossier", "cf_applicantid", "contact", "cascade"),
    ("cf_dossier", "cf_lastficheid", "cf_fiche", "remove_link"),
    ("cf_fiche", "cf_beforeid", "cf_fiche", "remove_link"),
    ("cf_dossier", "cf_mainpartyid", "cf_party", "remove_link"),
    ("contact", "cf_lastdossierid", "cf_dossier", "remove_link"),
)
FOLLOWERS = "cf_dossier_followers"  # pairs
BILL: dict[str, Any] = {  # of a table that the mapping lets stay
    "set": "cf_bills",
    "columns": {
        "cf_billid": {"type": "guid", "key": True},
        "cf_name": {"type": "string(100)", "primary_name": True},
        "cf_dossierid": {"type": "lookup cf_dossier"},
        "cf_payerid": {"type": "lookup contact"},
        "cf_aboutid": {"type": "lookup cf_dossier|contact"},
    },
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    for child, column, parent, on_delete in POINTERS:
        document["tables"][child]["columns"][column] = {"type": f"lookup {parent}"}
        found = {"name": column, "parent": parent, "child": child, "column": column, "on_delete": on_delete}
        document["relationships"].append(found)
    document["tables"]["cf_bill"] = BILL
    bills = (("cf_dossierid", "cf_dossier"), ("cf_payerid", "contact"), ("cf_aboutid", "cf_dossier"), ("cf_aboutid", "contact"))
    for column, parent in bills:
        found = {"name": f"bill_{column}_{parent}", "parent": parent, "child": "cf_bill", "column": column, "on_delete": "remove_link"}
        document["relationships"].append(found)
    document["many_to_many"] = [{"name": FOLLOWERS, "one": "cf_dossier", "two": "contact"}]
    path = tmp_path_factory.mktemp("crm") / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


@contextmanager
def within(environment: Path, base: Night) -> Iterator[Night]:
    with running(environment=environment, token=TOKEN, limits=False) as emulator, KNOWN.of(emulator, TOKEN):
        made = Night(emulator, base.store, base.key, base.policy, base.clock)
        yield made
        made.close()


@pytest.fixture
def night(environment: Path, make_night: MakeNight) -> Iterator[Night]:
    with within(environment, make_night()) as made:
        yield made


@pytest.fixture
def masking_night(environment: Path, make_night: MakeNight) -> Iterator[Night]:
    """A night of a schedule that anonymises in place."""
    with within(environment, make_night(policy=in_place())) as made:
        made.create("teams", "teamid", name="Geanonimiseerd")
        text, of_each = (
            REFERENCE.read_text("utf-8"),
            {"cf_dossier": "        cf_openedon: null\n", "cf_fiche": "        cf_dossierid: null\n"},
        )
        text += f"\nstay: {{{FOLLOWERS}: {{why: says nothing new, by: test}}, cf_bill: {{why: by law, by: test}}}}\n"
        for child, column, *_ in POINTERS[:-1]:
            text = text.replace(of_each[child], f"{of_each[child]}        {column}: null\n", 1)
        with mapped(made, text):
            yield made


def anonymised_on(night: Night, dossier: str) -> str | None:
    row = night.get("cf_dossiers", dossier)
    assert row is not None
    found: str | None = row["cf_anonymisedon"]
    return found


def point(night: Night, table_set: str, row: str, column: str, to: str) -> None:
    night.patch(table_set, row, **{f"{column}@odata.bind": f"/{to}"})


def test_a_dossier_that_is_kept_is_not_taken_along_by_its_main_dossier(night: Night) -> None:
    """RET-13: it is open; nothing that is deleted may take it along."""
    main = night.dossier("social_card", spoken=LONG_AGO)
    kept = night.dossier("runaway", closed=False, spoken=LATELY)
    point(night, "cf_dossiers", kept, "cf_maindossierid", f"cf_dossiers({main})")
    done = night.apply(night.plan())
    assert night.get("cf_dossiers", kept) is not None
    assert night.get("cf_dossiers", main) is not None
    assert (done.counts["skipped"], done.counts["unaccounted"]) == ({"SKIPPED_TECHNICAL": 1}, {"cf_dossier": 1})
    assert any("by cf_maindossierid, which fills no field" in each for each in night.connector.warnings)
    point(night, "cf_dossiers", kept, "cf_maindossierid", f"cf_dossiers({kept})")  # to itself: nothing takes it along
    night.apply(night.plan())
    assert (night.get("cf_dossiers", main), night.get("cf_dossiers", kept) is not None) == (None, True)


def test_a_pointing_row_that_an_answer_lacks_is_not_taken_along(night: Night) -> None:
    """Nothing tells of a short answer itself that it is one; the CRM's own count does."""
    main = night.dossier("social_card", spoken=LONG_AGO)
    kept = night.dossier("runaway", closed=False, spoken=LATELY)
    point(night, "cf_dossiers", kept, "cf_maindossierid", f"cf_dossiers({main})")
    plan = night.approved(night.plan())
    set_faults(night.emulator, {"match": {"path": "cf_dossiers?*_cf_maindossierid_value eq*"}, "do": "lose_row"})
    with pytest.raises(ReadIncomplete):
        night.apply(plan)
    set_faults(night.emulator)
    assert night.get("cf_dossiers", kept) is not None
    assert night.apply(plan).counts["skipped"] == {"SKIPPED_TECHNICAL": 1}


def test_of_two_dossiers_that_go_the_one_that_takes_the_other_along_goes_after_it(night: Night) -> None:
    """Each with its own rows, itself and its fiche."""
    main, below = (night.dossier("social_card", spoken=LONG_AGO) for _ in range(2))
    point(night, "cf_dossiers", below, "cf_maindossierid", f"cf_dossiers({main})")
    done = night.apply(night.plan())
    assert (night.get("cf_dossiers", below), night.get("cf_dossiers", main)) == (None, None)
    assert (done.state, done.counts["skipped"]) == (RunState.DONE, {})
    assert {each.id: len(each.rows) for each in night.store.journal.of_run(done.id)} == {main: 2, below: 2}


def test_a_person_who_would_take_a_dossier_along_stays(night: Night) -> None:
    """Whose last file has gone may still be named in another, by a lookup that nobody reads."""
    person = night.contact(lastname="Verzonnen")
    night.party(person, "reporter", dossier=night.dossier("social_card", spoken=LONG_AGO))
    kept = night.dossier("runaway", closed=False, spoken=LATELY)
    point(night, "cf_dossiers", kept, "cf_applicantid", f"contacts({person})")
    night.apply(night.plan())
    assert night.get("cf_dossiers", kept) is not None
    assert night.get("contacts", person) is not None


def test_rows_of_a_unit_that_point_to_each_other_go_in_one_night(night: Night) -> None:
    """In a line and in a circle: what the CRM empties has another version then."""
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=3)
    fiches = night.fiches_of(dossier)
    for one, other in zip(fiches, [*fiches[1:], fiches[0]], strict=True):
        point(night, "cf_fiches", one, "cf_beforeid", f"cf_fiches({other})")
    point(night, "cf_dossiers", dossier, "cf_lastficheid", f"cf_fiches({fiches[-1]})")
    done = night.apply(night.plan())
    assert (done.state, done.counts["skipped"], night.get("cf_dossiers", dossier)) == (RunState.DONE, {}, None)
    assert [night.get("cf_fiches", fiche) for fiche in fiches] == [None] * 3


def test_a_pointing_row_that_somebody_changed_keeps_all_as_it_was(night: Night) -> None:
    """RET-17: the version under which its lookup is emptied is the one that was read."""
    one, other = (night.fiche("social_card", spoken=LONG_AGO) for _ in range(2))
    point(night, "cf_fiches", other, "cf_beforeid", f"cf_fiches({one})")
    rows = [row for page in night.connector.read(Fiche, ["dossier"]) for row in page]
    night.patch("cf_fiches", other, cf_summary="Iets nieuws (verzonnen).")
    deletes = tuple(Operation(OperationKind.DELETE, Fiche, row.id, row.etag) for row in sorted(rows, key=lambda row: row.id != one))
    assert [each.id for each in deletes] == [one, other]
    (result,) = night.connector.change([ChangeSet("unit", deletes)])
    assert result.status is ChangeStatus.CHANGED
    assert [night.get("cf_fiches", each) is not None for each in (one, other)] == [True, True]
    assert night.rows(f"cf_fiches?$select=cf_ficheid&$filter=_cf_beforeid_value eq {one}")[0]["cf_ficheid"] == other


def test_what_points_to_a_row_that_is_masked_does_not_keep_it_from_that(masking_night: Night) -> None:
    """A masked row takes nothing along (R-081), and a row of ours that points to it is judged by itself."""
    night = masking_night
    main, kept = a_runaway(night), night.dossier("runaway", closed=False, spoken=LATELY)
    point(night, "cf_dossiers", kept, "cf_maindossierid", f"cf_dossiers({main})")
    done = night.apply(night.plan())
    assert (done.state, done.counts["skipped"]) == (RunState.DONE, {})
    assert anonymised_on(night, main) is not None
    assert anonymised_on(night, kept) is None


def test_a_masked_row_that_points_to_one_that_goes_is_masked_in_one_night(masking_night: Night) -> None:
    """Its role goes first, and the CRM empties the lookup to it: the row has another version then."""
    night = masking_night
    dossier = a_runaway(night)
    (party,) = night.rows(f"cf_parties?$select=cf_partyid&$filter=_cf_dossierid_value eq {dossier}")
    point(night, "cf_dossiers", dossier, "cf_mainpartyid", f"cf_parties({party['cf_partyid']})")
    done = night.apply(night.plan())
    assert (done.state, done.counts["skipped"]) == (RunState.DONE, {})
    assert anonymised_on(night, dossier) is not None


def test_a_masked_row_to_which_a_row_leads_that_may_stay_and_names_somebody_is_not_anonymous(masking_night: Night) -> None:
    """ERA-02: a bill of the dossier tells whose it is. One that names nobody tells nothing, also by a lookup
    that could lead to a person and leads to the dossier."""
    night = masking_night
    named, plain, gone = (a_runaway(night) for _ in range(3))
    donor = night.contact(lastname="Verzonnen", cf_newsletter=True)
    (child,) = (row["_cf_contactid_value"] for row in night.rows(f"cf_parties?$filter=_cf_dossierid_value eq {gone}"))
    bills = {}
    for dossier, payer in ((named, donor), (plain, None), (gone, child)):
        bound = {"cf_payerid@odata.bind": f"/contacts({payer})"} if payer else {}
        bound |= {"cf_aboutid_cf_dossier@odata.bind": f"/cf_dossiers({dossier})"} if dossier == plain else {}
        bills[dossier] = night.create("cf_bills", "cf_billid", **{"cf_dossierid@odata.bind": f"/cf_dossiers({dossier})"}, **bound)
    done = night.apply(night.plan())
    assert [(each.id, each.code) for _, each in night.store.journal.partials()] == [(named, "PSEUDONYMISED")]
    assert done.counts["anonymised"] == 2, "who goes is named by nothing any more"
    assert any("rows of cf_bill lead to them (cf_bill._cf_dossierid_value)" in each for each in night.connector.warnings)
    night.patch("cf_bills", bills[named], **{"cf_dossierid@odata.bind": None})
    done = night.apply(night.plan())
    assert (done.state, done.counts["anonymised"], night.store.journal.partials()) == (RunState.DONE, 1, [])


@pytest.mark.parametrize("by_pair", [False, True], ids=["by_a_lookup", "by_a_pair"])
def test_a_masked_row_to_which_somebody_leads_who_stays_is_not_anonymous(masking_night: Night, *, by_pair: bool) -> None:
    """ERA-02: no link to a named contact. Of a deleted row the CRM removes it; here a person has to."""
    night = masking_night
    dossier, other = a_runaway(night), a_runaway(night)
    donor = night.contact(lastname="Verzonnen")
    night.donation(donor)
    night.party(donor, "reporter", dossier=dossier)
    (child,) = (row["_cf_contactid_value"] for row in night.rows(f"cf_parties?$filter=_cf_dossierid_value eq {other}"))
    pairs = f"{night.emulator.url}cf_dossiers({{}})/{FOLLOWERS}"
    for person, file in ((donor, dossier), (child, other)):
        if by_pair:
            link = {"@odata.id": f"{night.emulator.url}contacts({person})"}
            night.http.post(f"{pairs.format(file)}/$ref", json=link).raise_for_status()
        else:
            point(night, "contacts", person, "cf_lastdossierid", f"cf_dossiers({file})")
    done = night.apply(night.plan())
    assert [(each.id, each.code) for _, each in night.store.journal.partials()] == [(dossier, "PSEUDONYMISED")]
    assert (done.counts["anonymised"], night.get("contacts", child)) == (1, None), "who goes leads to nothing"
    assert any("lead to them (" in each for each in night.connector.warnings)
    if by_pair:
        night.http.delete(f"{pairs.format(dossier)}({donor})/$ref").raise_for_status()
    else:
        night.patch("contacts", donor, **{"cf_lastdossierid@odata.bind": None})
    done = night.apply(night.plan())
    assert (done.state, done.counts["anonymised"], night.store.journal.partials()) == (RunState.DONE, 1, [])
