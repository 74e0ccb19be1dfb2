"""The time zone of a store is that of the last schedule that decided anything in it, however its file is
written (DAT-01)."""

import hashlib
import json
from importlib.resources import files

import pytest
from ruamel.yaml import YAML

from crm_compliance.store.store import SqlStore
from jobs.checks.same_zone import refuse_other_zone, zone_of
from rules.errors import Refused
from tests.rules.builders import POLICY


def decided_by(store: SqlStore, text: str) -> None:
    store.policies.remember(hashlib.sha256(text.encode()).hexdigest(), text[:20], text)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("version: '1'\ntimezone: Europe/Lisbon  # as in the statutes\n", "Europe/Lisbon"),
        ("\"timezone\" : 'America/Port-au-Prince'\n", "America/Port-au-Prince"),
        ("timezone: Etc/GMT+3\n", "Etc/GMT+3"),
        ("version: '1'\n", "Europe/Brussels"),
    ],
)
def test_a_store_has_the_zone_that_its_schedule_names_or_else_the_usual_one(store: SqlStore, text: str, zone: str) -> None:
    decided_by(store, text)
    assert zone_of(store) == zone


def test_a_schedule_in_braces_is_read(store: SqlStore) -> None:
    """JSON is YAML too; no line of it begins with the key."""
    shipped = YAML(typ="safe").load((files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8"))
    decided_by(store, json.dumps(shipped | {"timezone": "Europe/Athens"}, default=str))
    assert zone_of(store) == "Europe/Athens"


def test_the_last_schedule_counts_and_of_none_nothing_is_refused(store: SqlStore) -> None:
    assert zone_of(store) == ""
    refuse_other_zone(store, POLICY)
    decided_by(store, "timezone: Europe/Lisbon\n")
    decided_by(store, f"timezone: {POLICY.timezone}\n")
    assert zone_of(store) == POLICY.timezone
    refuse_other_zone(store, POLICY)


def test_another_zone_is_refused_with_both_named(store: SqlStore) -> None:
    decided_by(store, "timezone: Asia/Kolkata\n")
    with pytest.raises(Refused, match=rf"{POLICY.timezone}, and this store in Asia/Kolkata") as caught:
        refuse_other_zone(store, POLICY)
    assert (caught.value.code, caught.value.where) == ("other_zone", "timezone")
