"""The kill switch, and the schedules that decided, are those of the ledger (ACC-01, ACC-06)."""

from __future__ import annotations

import hashlib

import pytest

from jobs.checks.kill_switch import stop
from jobs.checks.ledger_drift import about_schedules
from jobs.ledger.entries import StoreAltered
from jobs.runs.apply import apply_plan
from tests.drivers.attacking import attack, audited
from tests.drivers.night import Night


def test_a_lifted_kill_switch_is_noticed(attacked: Night) -> None:
    plan = attacked.approved(attacked.plan())
    stop(attacked.store, attacked.clock())
    attack(attacked, "DELETE FROM switches")
    with pytest.raises(StoreAltered, match="kill switch"):
        apply_plan(attacked.context, plan.id)


def test_a_schedule_that_was_kept_is_the_one_that_decided(attacked: Night) -> None:
    """ACC-01."""
    attacked.store.policies.remember(hashlib.sha256(b"version: 1").hexdigest(), "1", "version: 1")
    assert audited(attacked) == []
    attack(attacked, "UPDATE policies SET text = text || '# anders'")
    assert [place for place in audited(attacked) if "schedule" in str(place)]


def test_a_schedule_that_is_kept_during_the_look_is_not_missed(attacked: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process keeps one while the tables are compared."""
    policies, real = attacked.store.policies, attacked.store.policies.all

    def kept_meanwhile() -> object:
        before = real()
        policies.remember(hashlib.sha256(b"version: 1").hexdigest(), "1", "version: 1")
        return before

    monkeypatch.setattr(policies, "all", kept_meanwhile)
    assert list(about_schedules(attacked.store)) == []


def test_a_schedule_that_decided_is_missed(attacked: Night) -> None:
    """ACC-01, ACC-02: a certificate leads to a text that must be there."""
    attacked.store.policies.remember(hashlib.sha256(b"version: 1").hexdigest(), "1", "version: 1")
    attack(attacked, "DELETE FROM policies")
    assert [place for place in audited(attacked) if "schedule" in str(place)]
