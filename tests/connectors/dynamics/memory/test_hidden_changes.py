"""A change that a delta link has hidden shows in the numbers, or at the next full read, and is told; what we
have done ourselves is not."""

from datetime import timedelta

import pytest

from connectors.dynamics.memory.incremental import RememberingReader
from rules.model.records import Dossier
from tests.connectors.dynamics.memory.organisation import FIELDS, Organisation

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is read, not how it comes


def _hide_a_deletion(organisation: Organisation) -> None:
    organisation.fault(match={"path": "deltatoken"}, do="lose_row")


def test_a_change_that_the_link_hides_shows_in_the_numbers(organisation: Organisation) -> None:
    ids = organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.read(Dossier)
    organisation.delete(f"cf_dossiers({ids[0]})")
    _hide_a_deletion(organisation)
    found = organisation.read(Dossier)
    assert organisation.missed == {"cf_dossier": 1}
    organisation.http.put(f"{organisation.emulator.root}/_emulator/faults", json=[])
    assert found == organisation.read(Dossier, full=True)


def test_a_full_read_tells_how_many_rows_changed_that_the_link_had_hidden(organisation: Organisation) -> None:
    """Of three changes the CRM tells two, and the number of rows is as it was: for a week nothing shows."""
    ids = organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.read(Dossier)
    for each in ids[:3]:
        organisation.patch(f"cf_dossiers({each})", cf_legalhold=True)
    _hide_a_deletion(organisation)
    by_changes = organisation.read(Dossier)
    organisation.http.put(f"{organisation.emulator.root}/_emulator/faults", json=[])
    full = organisation.read(Dossier, full=True)
    (hidden,) = [each for each in ids if by_changes[each] != full[each]]
    assert (hidden in ids[:3], organisation.missed) == (True, {})
    organisation.now += timedelta(days=7)
    assert organisation.read(Dossier) == full
    assert organisation.missed == {"cf_dossier": 1}
    organisation.now += timedelta(days=7)
    organisation.read(Dossier)
    assert (organisation.fetched, organisation.missed) == (60, {}), "what is remembered is right again"


def test_a_new_row_that_the_link_had_hidden_is_told_when_the_numbers_show_it(organisation: Organisation) -> None:
    organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.read(Dossier)
    organisation.post("cf_dossiers", cf_name="D-61 (fictitious)")
    _hide_a_deletion(organisation)
    assert len(organisation.read(Dossier)) == 61
    assert (organisation.fetched, organisation.missed) == (61, {"cf_dossier": 1})


def test_a_new_row_that_the_link_had_hidden_is_told_where_numbers_are_a_day_old(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large table the CRM tells its number only about: for a week nothing shows."""
    organisation.load("cf_dossier", "cf_dossierid", 60)
    organisation.read(Dossier)
    organisation.post("cf_dossiers", cf_name="D-61 (fictitious)")
    _hide_a_deletion(organisation)
    monkeypatch.setattr(RememberingReader, "_number_agrees", lambda reader, number: True)
    assert (len(organisation.read(Dossier)), organisation.missed) == (60, {})
    organisation.http.put(f"{organisation.emulator.root}/_emulator/faults", json=[])
    organisation.now += timedelta(days=7)
    assert (len(organisation.read(Dossier)), organisation.missed) == (61, {"cf_dossier": 1})


def test_a_row_that_we_only_seemed_to_erase_was_not_missed_some_nights_later_either(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = organisation.load("cf_dossier", "cf_dossierid", 60)
    found = organisation.read(Dossier)
    organisation.memory.forget("cf_dossier", {ids[0]: found[ids[0]][-1]})
    monkeypatch.setattr(RememberingReader, "_number_agrees", lambda reader, number: True)
    assert len(organisation.read(Dossier)) == 59
    organisation.memory.forget("cf_dossier", {ids[1]: found[ids[1]][-1]})
    assert len(organisation.read(Dossier)) == 58
    organisation.now += timedelta(days=7)
    assert (organisation.read(Dossier), organisation.missed) == (found, {})


def test_a_row_that_we_only_seemed_to_erase_was_not_missed(organisation: Organisation) -> None:
    """R-089: it is out of the memory, and its version never changed."""
    ids = organisation.load("cf_dossier", "cf_dossierid", 60)
    found = organisation.read(Dossier)
    organisation.memory.forget("cf_dossier", {ids[0]: found[ids[0]][-1]})
    assert organisation.read(Dossier) == found
    assert (organisation.fetched, organisation.missed) == (60, {})


def test_what_changes_while_a_full_read_goes_on_was_not_missed(organisation: Organisation) -> None:
    ids = organisation.load("cf_dossier", "cf_dossierid", 120)
    organisation.read(Dossier)
    organisation.patch(f"cf_dossiers({ids[0]})", cf_legalhold=True)
    organisation.now += timedelta(days=7)
    with organisation.connector(organisation.memory) as connector:
        for number, _ in enumerate(connector.columns(Dossier, FIELDS[Dossier])):
            if number == 0:
                for each in ids:
                    organisation.patch(f"cf_dossiers({each})", cf_legalhold=False)
        assert (connector.stats.rows >= 120, connector.stats.missed) == (True, {})
