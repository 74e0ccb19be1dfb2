"""What a plan tells beside its lines. Everybody is fictitious."""

from datetime import date

import pytest

from connectors.interface.errors import ConnectorError
from jobs.model.plan import Kind
from jobs.plans.make import make_plan
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO


@pytest.mark.parametrize("kind", [Kind.ALL, Kind.RETENTION])
def test_notes_and_activities_about_people_who_are_trimmed_are_counted(night: Night, kind: Kind) -> None:
    """RET-20: they stay, and a person should check them. Those that went into long-term retention are out of
    a person's sight."""
    dossier, donor, other = night.dossier("social_card", spoken=LONG_AGO), night.contact(), night.contact()
    night.party(donor, "reporter", dossier=dossier)
    night.party(other, "reporter", dossier=night.dossier("social_card", spoken=date(2026, 11, 1)))
    for person in (donor, other):
        night.donation(person)
        night.note("contact", person)
        night.call("contact", person, [])
    night.note("contact", donor)
    night.note("cf_dossier", dossier)
    night.call("cf_dossier", dossier, [donor])
    retained = {"Target": {"@odata.type": "Microsoft.Dynamics.CRM.phonecall", "activityid": night.call("contact", donor, [])}}
    night.http.post(f"{night.emulator.url}Retain", json=retained, timeout=10).raise_for_status()
    plan = night.plan(kind)
    assert plan.trims == (donor,)
    assert plan.notes_on_trimmed == 3
    night.note("contact", donor)
    assert night.plan(kind).notes_on_trimmed == 4


def test_a_column_that_is_removed_while_a_plan_is_made_is_named(night: Night) -> None:
    night.fiche("social_card", spoken=LONG_AGO)
    context = night.context
    column = f"{night.emulator.url}EntityDefinitions(LogicalName='cf_fiche')/Attributes(LogicalName='cf_communicatedon')"
    night.http.delete(column, timeout=10).raise_for_status()
    with pytest.raises(ConnectorError, match=r"no column cf_fiche\.cf_communicatedon") as raised:
        make_plan(context, Kind.ALL)
    assert "mapping" in str(raised.value.hint)
