"""Somebody who types commands in this process, and an organisation to type them for."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.emulator.serving.server import RunningEmulator
from crm_compliance.configuration.settings import Settings
from crm_compliance.keys.key_ring import KeyRing
from crm_compliance.keys.request_seals import Sealing
from crm_compliance.store.store import SqlStore
from crm_compliance.wiring.schedule import policy_of
from tests.drivers.clock import NOW, Clock
from tests.drivers.night import Night, witness_of
from tests.drivers.organisation import TOKEN
from tests.drivers.typed import Said, typed

LONG_AGO = date(2020, 1, 10)
DORA = ("--as", "dora", "--role", "dpo")
ERIK = ("--as", "erik", "--role", "approver")


class Typist:
    """Types commands with the settings of one CRM and one data folder; `url` may be any address."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, url: str, **settings: str) -> None:
        self.monkeypatch = monkeypatch
        self.folder = folder
        for name in [name for name in os.environ if name.startswith("CRM_COMPLIANCE_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setenv("NO_COLOR", "1")
        self.set(CRM_URL=url, CRM_TOKEN=TOKEN, DATA_DIR=str(folder / "data"), CLOCK=NOW.isoformat(), CRM_PATIENCE_S="0")
        self.set(**settings)

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self.monkeypatch.setenv(f"CRM_COMPLIANCE_{name}", value)

    def unset(self, *names: str) -> None:
        for name in names:
            self.monkeypatch.delenv(f"CRM_COMPLIANCE_{name}", raising=False)

    def type(self, *arguments: object, given: str | None = None) -> Said:
        """Run one command; `given` is what it reads from stdin."""
        return typed(*arguments, given=given)

    def ask(self, *arguments: object, code: int = 0) -> Any:
        """The document of a command that ends with `code`. A plan to apply is approved before, if it is but
        the first of its kind."""
        if arguments[0] == "apply" and len(arguments) > 1:
            self.approve_first(str(arguments[1]))
        said = self.type(*arguments, "--json")
        assert said.code == code, (arguments, said)
        return said.document

    def approve_first(self, plan: str) -> str:
        """Two people approve a plan that waits for nothing but that it is the first of its kind; what a guard
        found is the test's own."""
        shown = self.type("plans", "show", plan, "--json")
        if shown.code == 0 and shown.document["approvals"]["why"] == ["FIRST_RUN"] and shown.document["state"] == "waiting":
            given = {word["role"] for word in shown.document["approvals"]["given"]}
            for role in ("crm_admin", "dpo"):
                if role not in given:
                    assert self.type("plans", "approve", plan, "--as", f"fictief-{role}", "--role", role).code == 0
        return plan

    def refused(self, *arguments: object, code: int) -> dict[str, str]:
        """The error of a command that ends with `code` and says nothing on stdout; what is refused with 5 is
        not approved before."""
        if arguments[:1] == ("apply",) and len(arguments) > 1 and code != 5:
            self.approve_first(str(arguments[1]))
        said = self.type(*arguments, "--json")
        assert (said.code, said.out) == (code, ""), (arguments, said)
        assert said.error["message"]
        return said.error

    @property
    def settings(self) -> Settings:
        from crm_compliance.configuration.settings import load_settings

        return load_settings()


def organisation_of(emulator: RunningEmulator, typist: Typist) -> Night:
    """A night over the same organisation and the same store as the commands; the caller closes it."""
    settings = typist.settings
    data_dir = settings.make_data_dir()
    store = SqlStore.open(_url_of(settings), clock=Clock(NOW), sealer=Sealing(data_dir), witness=witness_of(data_dir, data_dir, Clock(NOW)))
    return Night(emulator, store, KeyRing.open(settings.make_data_dir(), NOW), policy_of(settings), Clock(NOW))


def _url_of(settings: Settings) -> str:
    settings.make_data_dir()
    return settings.store_url


def people_and_cases(night: Night) -> dict[str, str]:
    """One unit of each fate; with the dossier to anonymise its child's contact goes, which is the fourth to
    be deleted."""
    child = night.contact(birthdate="2000-02-01")
    found = {
        "delete": night.dossier("social_card", spoken=LONG_AGO, fiches=2),
        "anonymise": night.dossier("sexting", spoken=LONG_AGO),
        "open": night.dossier("grooming", spoken=LONG_AGO, closed=False),
        "no_term": night.dossier("unexplained_disappearance", spoken=LONG_AGO),
        "recording": night.recording(LONG_AGO),
        "fiche": night.fiche("social_card", spoken=LONG_AGO),
    }
    night.party(child, "child", dossier=found["anonymise"])
    night.party(night.contact(birthdate="2000-02-01"), "child", dossier=found["open"])
    night.note("cf_dossier", found["delete"])
    return found


def schedule_text(typist: Typist) -> str:
    """The schedule in force, as it would be written."""
    path = typist.folder / "schedule-in-force.yaml"
    path.unlink(missing_ok=True)
    assert typist.type("policy", "show", "--output", path).code == 0
    return path.read_text(encoding="utf-8")


def limited(typist: Typist, **limits: int) -> Path:
    """A policy file with other limits for the circuit breaker, put in force; the keys are those of the
    file."""
    path, text = typist.folder / "policy.yaml", schedule_text(typist)
    shipped = {"max": 200, "factor": 3, "median_from": 10, "plan_valid_hours": 72}
    for key, value in limits.items():
        assert f"{key}: {shipped[key]}" in text
        text = text.replace(f"{key}: {shipped[key]}", f"{key}: {value}")
    path.write_text(text, encoding="utf-8")
    typist.set(POLICY=str(path))
    return path


def without_first_look(typist: Typist) -> Path:
    """A policy file that does not ask two people to look at the first run of a category, put in force."""
    path, text = typist.folder / "policy.yaml", schedule_text(typist)
    assert "first_run: true" in text
    path.write_text(text.replace("first_run: true", "first_run: false"), encoding="utf-8")
    typist.set(POLICY=str(path))
    return path
