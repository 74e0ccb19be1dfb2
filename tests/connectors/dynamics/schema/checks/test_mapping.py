"""The mapping is compared with the CRM column by column."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from connectors.dynamics.schema.checks.decisions import check_decisions
from connectors.interface.errors import Finding, ReadIncomplete, Unreachable
from rules.errors import MappingError
from rules.model.records import Contact, Dossier, Note
from tests.connectors.dynamics.fake_crm import FakeCrm, edit
from tests.connectors.dynamics.mapping.edited_mappings import TEXT, edited, line_of, mistakes


def check(crm: FakeCrm, text: str = TEXT) -> list[Finding]:
    with crm.connector(mapping_text=text, mapping_source="mine.yaml") as connector:
        return connector.check()


def decisions(crm: FakeCrm, text: str) -> list[Finding]:
    """What is told of `stay` and `goes_along`."""
    with crm.connector(mapping_text=text, mapping_source="mine.yaml") as connector:
        connector.check()
        return list(check_decisions(connector.mapping, connector._metadata))


def errors(crm: FakeCrm, text: str = TEXT) -> list[str]:
    return [f"{finding.where} {finding.message}" for finding in check(crm, text) if finding.is_error]


def columns(crm: FakeCrm, table: str) -> dict[str, Any]:
    found: dict[str, Any] = crm.definition["tables"][table]["columns"]
    return found


def test_the_shipped_mapping_fits_the_reference_environment(crm: FakeCrm) -> None:
    assert check(crm) == []


def test_a_table_or_column_that_the_crm_lacks_is_told_by_line(crm: FakeCrm) -> None:
    text = edited("    table: cf_party\n", "    table: cf_partij\n").replace("outcome: cf_outcome\n", "outcome: cf_afloop\n", 1)
    found = errors(crm, text)
    assert any(f"mine.yaml:{line_of(text, 'cf_afloop')} The table cf_dossier has no column cf_afloop" in line for line in found)
    assert any("The CRM has no table cf_partij (party); did you mean cf_party?" in line for line in found)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("table", "column", "target", "told"),
    [
        ("cf_fiche", "cf_otherdossierid", "cf_dossier", "a fiche of that dossier would end by itself"),
        ("cf_recording", "cf_otherficheid", "cf_fiche", "a recording of that fiche would end by itself"),
        ("cf_recording", "cf_dossierid", "cf_dossier", "a hold on that dossier would not keep it, nor a mark of evidence"),
        ("cf_party", "cf_otherdossierid", "cf_dossier", "roles in that dossier would not be known"),
    ],
)
def test_a_second_lookup_to_what_rows_belong_to_is_refused(crm: FakeCrm, table: str, column: str, target: str, told: str) -> None:
    """RET-02: what has it alone would count as lone, and end while its dossier is open."""
    columns(crm, table)[column] = {"type": f"lookup {target}"}
    crm.definition["relationships"].append({"name": column, "parent": target, "child": table, "column": column, "on_delete": "remove_link"})
    (found,) = [finding for finding in check(crm) if finding.is_error]
    assert (found.where, found.suggestion) == (f"mine.yaml:{line_of(TEXT, f'table: {table}')}", column)
    assert told in found.message
    said = TEXT.replace("tables:\n", f"goes_along:\n  {table}.{column}: {{why: it is like, by: DPO}}\ntables:\n", 1)
    assert errors(crm, said) == []


def test_a_lookup_of_roles_that_is_not_mapped_is_told_once_with_the_remedy_that_helps(crm: FakeCrm) -> None:
    begin, head, rest = TEXT.partition("    table: cf_party\n")
    found = errors(crm, begin + head + rest.replace("      dossier: cf_dossierid\n", "", 1))
    assert [told.endswith("Map it as party.dossier.") for told in found] == [True]


def test_tables_whose_rows_no_change_set_deletes_are_refused(crm: FakeCrm) -> None:
    """A plan could be made, and every run would end with a page that is wrong, or half done."""
    columns(crm, "cf_recording").update(partitionid={"type": "string(100)"}, ttlinseconds={"type": "int"})
    (elastic,) = [finding for finding in check(crm) if finding.is_error]
    assert (elastic.where, elastic.code) == (f"mine.yaml:{line_of(TEXT, 'table: cf_recording')}", "type")
    assert "cf_recording is an elastic table" in elastic.message


def test_a_virtual_table_is_refused(crm: FakeCrm) -> None:
    with crm.connector(mapping_text=TEXT, mapping_source="mine.yaml") as connector:
        definition = connector._metadata.table("cf_donation")
        assert definition is not None
        del definition.attributes["versionnumber"]
        (virtual,) = [finding for finding in connector.check() if finding.is_error]
    assert (virtual.where, virtual.code) == (f"mine.yaml:{line_of(TEXT, 'table: cf_donation')}", "type")
    assert "cf_donation is a virtual table" in virtual.message


@pytest.mark.parametrize("field", ["closed_on", "birth_on", "anonymised_on"])
def test_a_day_that_cannot_be_that_of_a_rows_making_is_told(crm: FakeCrm, field: str) -> None:
    """A case would end as if it had been closed when it was opened."""
    line = next(line for line in TEXT.splitlines() if line.startswith(f"      {field}: "))
    text = edited(line + "\n", f"      {field}: createdon\n")
    (found,) = [finding for finding in check(crm, text) if finding.code == "conflict"]
    assert (found.is_error, found.where) == (False, f"mine.yaml:{line_of(text, f'{field}: createdon')}")
    opened = next(line for line in TEXT.splitlines() if line.startswith("      opened_on: "))
    assert not [each for each in check(crm, edited(opened + "\n", "      opened_on: createdon\n")) if each.code == "conflict"]


@pytest.mark.parametrize("field", ["communicated_on", "closed_on", "birth_on", "ended_on"])
def test_the_day_of_the_last_change_is_no_other_day(crm: FakeCrm, field: str) -> None:
    """A term would begin again with every edit, also by an import, and never end (RET-06)."""
    line = next(line for line in TEXT.splitlines() if line.startswith(f"      {field}: "))
    text = edited(line + "\n", f"      {field}: modifiedon\n")
    (found,) = [finding for finding in check(crm, text) if finding.code == "conflict"]
    assert (found.is_error, found.where) == (False, f"mine.yaml:{line_of(text, f'{field}: modifiedon')}")
    assert "becomes another day with each change of the row" in found.message


def test_participants_of_messages_of_which_no_kind_is_mapped_are_told_with_what_to_map(crm: FakeCrm) -> None:
    text = TEXT
    for kind in ("call", "email"):
        begin, rest = text.split(f"\n  {kind}:\n", 1)
        _, onward = rest.split("\n  ", 1)
        while onward.startswith("  "):
            _, onward = onward.split("\n  ", 1)
        text = f"{begin}\n  {onward}"
    (found,) = [finding for finding in check(crm, text) if finding.code == "missing" and "activityparty" in finding.message]
    assert (found.is_error, found.where) == (True, f"mine.yaml:{line_of(text, 'activity: activityid')}")
    assert found.message == (
        "The lookup activityparty.activityid points to email, phonecall, and none of these is mapped as call or email. "
        "Map one of them so, or leave activity_party out."
    )


def test_a_role_that_is_a_column_of_a_dossier_is_one_in_that_dossier(crm: FakeCrm) -> None:
    """SUS-02: by a lookup to another dossier, its own suspect would be that of the other."""
    columns(crm, "cf_dossier").update(cf_parentid={"type": "lookup cf_dossier"}, cf_childid={"type": "lookup contact"})
    for name, parent in (("cf_parentid", "cf_dossier"), ("cf_childid", "contact")):
        crm.definition["relationships"].append(
            {"name": name, "parent": parent, "child": "cf_dossier", "column": name, "on_delete": "remove_link"}
        )
    begin, rest = TEXT.split("  party:\n", 1)
    own, onward = rest.split("\n\n", 1)
    role = "    - {table: cf_dossier, columns: {dossier: cf_parentid, contact: cf_childid}, fixed: {role: child}}"
    listed = own.replace("    ", "      ").replace("      ", "    - ", 1)
    text = f"{begin}  party:\n{listed}\n{role}\n\n{onward}"
    found = [finding for finding in check(crm, text) if finding.is_error]
    assert [(each.where, each.suggestion) for each in found] == [(f"mine.yaml:{line_of(text, 'cf_parentid')}", "cf_dossierid")]
    assert found[0].message.endswith("a column of a dossier is one in that dossier itself: map cf_dossierid as party.dossier.")
    assert errors(crm, text.replace("dossier: cf_parentid", "dossier: cf_dossierid")) == []


def test_a_case_that_is_open_cannot_be_told_as_closed(crm: FakeCrm) -> None:
    """Else it would end while somebody works on it (RET-13)."""
    states = "        0: active\n        1: inactive\n"
    never = edited(states, states.replace(" active", " inactive"))
    assert errors(crm, never) == [
        f"mine.yaml:{line_of(never, 'is_active: statecode')} every option of cf_dossier.statecode stands for inactive: "
        "what is open would count as closed."
    ]
    turned = edited(states, "        0: inactive\n        1: active\n")
    (found,) = check(crm, turned)
    assert (found.is_error, found.where) == (False, f"mine.yaml:{line_of(turned, '0: inactive')}")
    assert "is where the CRM has what is open" in found.message


@pytest.mark.parametrize("place", ["cf_donation", "cf_donation.cf_contactid"])
def test_rows_that_may_stay_and_keep_the_crm_from_deleting_others_are_told(crm: FakeCrm, place: str) -> None:
    """A person with such a row would be planned, and refused by the CRM, night after night."""
    before, _, rest = TEXT.partition("\n  donation:\n")
    text = before + "\n" + rest[rest.index("  enrolment:\n") :] + f"\nstay: {{{place}: {{why: kept for seven years, by: test}}}}\n"
    (found,) = decisions(crm, text)
    assert not found.is_error
    assert found.where == f"mine.yaml:{line_of(text, 'kept for seven')}"
    assert found.message.startswith(
        "cf_donation.cf_contactid keeps the CRM from deleting a row of contact to which a row that may stay points"
    )
    assert decisions(crm, text.replace(place, "cf_donation.cf_amount")) == []


def test_a_column_that_fills_a_field_and_goes_along_is_told(crm: FakeCrm) -> None:
    """Whoever wrote it thinks that nobody is looked for in it."""
    text = TEXT.replace("tables:\n", "goes_along:\n  cf_dossier.cf_summary: {why: nobody reads it, by: DPO}\ntables:\n", 1)
    (found,) = decisions(crm, text)
    assert (found.is_error, found.code, found.where) == (False, "conflict", f"mine.yaml:{line_of(text, 'nobody reads')}")
    assert found.message.startswith("cf_dossier.cf_summary fills dossier.summary, so what stands here decides nothing")


def test_a_misspelt_column_is_told_with_the_one_that_was_meant(crm: FakeCrm) -> None:
    found = errors(crm, edited("outcome: cf_outcome\n", "outcome: cf_outcom\n"))
    assert len(found) == 1
    assert found[0].endswith("has no column cf_outcom (dossier.outcome); did you mean cf_outcome?")


def test_an_option_that_the_crm_lacks_is_an_error_and_one_that_the_mapping_lacks_a_warning(crm: FakeCrm) -> None:
    text = edited("        100000044: preventive\n", "        100000999: preventive\n")
    findings = check(crm, text)
    assert any(finding.is_error and "no option 100000999 (preventive)" in finding.message for finding in findings)
    assert any(not finding.is_error and "100000044" in finding.message and "UNCONFIGURED" in finding.message for finding in findings)
    crm.definition["choices"]["cf_outcome"][7] = {"nl": "Nieuw"}
    assert any(not finding.is_error and "cf_dossier.cf_outcome has an option 7" in finding.message for finding in check(crm))


def test_how_somebody_took_part_is_a_number_or_the_choice_that_the_platform_has(crm: FakeCrm) -> None:
    columns(crm, "activityparty")["participationtypemask"]["type"] = "choice cf_channel"
    assert check(crm) == []


def test_a_column_of_another_type_is_an_error(crm: FakeCrm) -> None:
    columns(crm, "cf_dossier")["cf_closedon"]["type"] = "string(20)"
    columns(crm, "cf_dossier")["cf_legalhold"]["type"] = "choice cf_channel"
    columns(crm, "cf_dossier")["cf_outcome"]["type"] = "int"
    columns(crm, "contact")["cf_birthyear"]["type"] = "decimal"
    columns(crm, "cf_party")["cf_role"]["type"] = "choices cf_role"
    columns(crm, "cf_donation")["cf_contactid"]["type"] = "string(50)"
    found = errors(crm)
    for words in ("needs a date", "option values under choices", "needs a choice", "needs BigInt or Integer", "needs a lookup"):
        assert any(words in line for line in found), words
    assert any("cf_party.cf_role is MultiSelectPicklist" in line and "have a row for each" in line for line in found)
    assert len(found) == 6


def test_a_column_that_the_crm_makes_itself_is_none_that_a_contact_is_emptied_of(crm: FakeCrm) -> None:
    """RET-20: such a contact would be tried night after night, and what is to go would stay."""
    columns(crm, "contact")["description"]["read_only"] = True
    (found,) = errors(crm)
    assert "contact.description cannot be emptied where the row stays: the CRM makes it from others. Leave it out of the mapping." in found
    columns(crm, "cf_dossier")["cf_summary"]["read_only"] = True  # which goes with its row
    assert errors(crm) == [found]


def test_a_lookup_that_says_yes_or_no_stands_under_references(crm: FakeCrm) -> None:
    columns(crm, "cf_dossier")["cf_stateid"] = {"type": "lookup account"}
    (told,) = errors(crm, edited("      is_active: statecode\n", "      is_active: cf_stateid\n").replace("      is_active: *states\n", ""))
    assert "say under references what the rows to which it points stand for in dossier.is_active" in told


def test_a_role_may_be_in_a_dossier_alone_unless_the_table_leads_to_fiches_too(crm: FakeCrm) -> None:
    text = edited("      fiche: cf_ficheid\n      role: cf_role\n", "      role: cf_role\n")
    (told,) = errors(crm, text)
    assert "cf_party has a lookup to a fiche, cf_ficheid, that is not mapped" in told
    columns(crm, "cf_party")["cf_ficheid"]["type"] = "string(10)"
    assert errors(crm, text) == []
    neither = text.replace("      dossier: cf_dossierid\n      role: cf_role\n", "      role: cf_role\n", 1)
    assert any(line.endswith("tables.party.columns: dossier is missing") for line in mistakes(neither))


def test_a_lookup_to_another_table_is_an_error(crm: FakeCrm) -> None:
    for one in crm.definition["relationships"]:
        if one["name"] == "cf_dossier_fiches":
            one["parent"] = "account"
    assert any("cf_fiche.cf_dossierid points to account, not to cf_dossier" in line for line in errors(crm))
    crm.definition["relationships"] = [one for one in crm.definition["relationships"] if one["child"] != "cf_fiche"]
    assert any("names no relationship for the lookup cf_fiche.cf_dossierid" in line for line in errors(crm))


@pytest.mark.parametrize("kind", ["choice", "choices"])
def test_categories_may_be_one_choice_or_several(crm: FakeCrm, kind: str) -> None:
    columns(crm, "cf_dossier")["cf_categories"]["type"] = f"{kind} cf_category"
    assert errors(crm) == []


def test_a_status_may_stand_for_an_outcome(crm: FakeCrm) -> None:
    columns(crm, "cf_dossier")["cf_outcome"]["type"] = "status cf_outcome"
    assert errors(crm) == []


def test_a_choice_whose_options_the_crm_does_not_tell_is_an_error(crm: FakeCrm) -> None:
    crm.fault_times("PicklistAttributeMetadata", edit(lambda content: content["value"].clear()), 99)
    assert any("does not tell the options of cf_dossier.cf_outcome" in line for line in errors(crm))


def without_behaviour(crm: FakeCrm) -> None:
    original = crm._cast

    def cast(column: str, about: dict[str, Any]) -> dict[str, Any]:
        item = original(column, about)
        if column == "cf_openedon":
            item["DateTimeBehavior"] = {"Value": "Mystery"}
        return item

    crm._cast = cast  # type: ignore[method-assign]


def test_a_date_whose_behaviour_is_unknown_refuses_to_run(crm: FakeCrm) -> None:
    without_behaviour(crm)
    assert any("cf_dossier.cf_openedon is unknown (DAT-09)" in line for line in errors(crm))
    with crm.connector() as connector, pytest.raises(MappingError, match="DAT-09"):
        list(connector.read(Dossier, ["legal_hold"]))


def test_the_mapping_may_state_a_behaviour_that_the_crm_does_not_tell(crm: FakeCrm) -> None:
    without_behaviour(crm)
    text = edited("    table: cf_dossier\n", "    table: cf_dossier\n    behaviour: {opened_on: time_zone_independent}\n")
    assert errors(crm, text) == []
    crm.rows["cf_dossiers"] = [{"cf_dossierid": "00000000-0000-4000-8000-000000000001", "cf_openedon": "2026-04-30T23:30:00Z"}]
    with crm.connector(mapping_text=text) as connector:
        (page,) = connector.read(Dossier, ["opened_on"])
    assert page[0].opened_on == date(2026, 4, 30)


def test_a_behaviour_that_contradicts_the_crm_is_an_error(crm: FakeCrm) -> None:
    text = edited("    table: cf_dossier\n", "    table: cf_dossier\n    behaviour: {opened_on: date_only}\n")
    assert any("user_local in the CRM and date_only in the mapping" in line for line in errors(crm, text))


@pytest.mark.parametrize(
    ("kind", "wire", "day"),
    [
        ("datetime", "2008-05-09T22:00:00Z", date(2008, 5, 10)),
        ("datetime", "2026-01-31T22:59:59Z", date(2026, 1, 31)),
        ("datetime", "2026-01-31T23:00:00Z", date(2026, 2, 1)),
        ("datetime", "2026-01-31T23:00:00.5Z", date(2026, 2, 1)),
        ("datetime", "1875-06-01T21:50:00Z", date(1875, 6, 1)),
        ("datetime", "9999-12-31T23:30:00Z", date(9999, 12, 31)),
        ("datetime", "1753-01-01T00:00:00Z", date(1753, 1, 1)),
        ("datetime_tzi", "2026-04-30T23:30:00Z", date(2026, 4, 30)),
        ("date", "2014-07-30", date(2014, 7, 30)),
    ],
)
def test_a_date_is_read_by_its_behaviour(crm: FakeCrm, kind: str, wire: str, day: date) -> None:
    columns(crm, "contact")["birthdate"]["type"] = kind
    crm.rows["contacts"] = [{"contactid": "00000000-0000-4000-8000-000000000001", "birthdate": wire}]
    with crm.connector() as connector:
        (page,) = connector.read(Contact, ["birth_on"])
    assert page[0].birth_on == day


def test_nothing_is_read_from_a_table_that_does_not_fit(crm: FakeCrm) -> None:
    del columns(crm, "annotation")["mimetype"]
    with crm.connector() as connector:
        with pytest.raises(MappingError, match="no column mimetype"):
            list(connector.read(Note, ["is_document"]))
        assert list(connector.read(Dossier, ["legal_hold"])) == []


def test_a_crm_out_of_reach_is_found_out_once(crm: FakeCrm) -> None:
    crm.faults.append(lambda request, reply: (503, {}, ""))
    with crm.connector() as connector:
        with pytest.raises(Unreachable):
            connector.check()
        assert connector.stats.requests == 6
    assert {path.split("?")[0] for path in crm.paths()} == {"EntityDefinitions(LogicalName='cf_dossier')"}


def test_a_definition_that_is_not_usable_is_no_definition(crm: FakeCrm) -> None:
    for body in ("[]", "<html>", json.dumps({"LogicalName": "cf_dossier"})):
        crm.faults[:] = [lambda request, reply, body=body: (200, {}, body)]  # type: ignore[misc]
        with crm.connector() as connector, pytest.raises(ReadIncomplete):
            connector.check()
