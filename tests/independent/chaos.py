"""A deletion run that is killed again and again with faults on ends like one that nobody disturbed.

    python -m tests.independent.chaos --seed 1 --dossiers 40 --kills 12

One organisation is loaded, planned and kept. An undisturbed run on it is the twin. Each trial sets emulator
and data folder back to the very same rows, versions, plan and clock, carries the plan out under a fault
script of its own while SIGKILL hits the process, goes on with the same command until it ends, and compares.
All trials follow from the seed, but for the moment in which a kill lands.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import requests

from tests.independent.evaluation import Rows, Unit
from tests.independent.inside import CommandLine
from tests.independent.kit import VOLATILE, Trial
from tests.independent.organisation import Organisation
from tests.independent.product import Findings, Product
from tests.independent.prompt import Prompt
from tests.independent.stage import Spoken, Stage
from tests.independent.traps import draw
from tests.independent.trouble import BATCH, Rule, script
from tests.independent.wire import SETS, by_id

AT = "2026-11-25T11:00:00Z"
TRIES = 8  # of `apply` with faults on; then they are taken away
SETTLED_S = 0.9  # until what a killed process had sent has landed: longer than any latency
SETTINGS: tuple[dict[str, str], ...] = (
    {"CRM_CONCURRENCY": "1"},
    {"CRM_CONCURRENCY": "6"},
    {"CRM_CONCURRENCY": "4", "BULK_DELETE": "always"},
    {"CRM_CONCURRENCY": "1", "BULK_DELETE": "always"},
    {"CRM_CONCURRENCY": "8", "BULK_DELETE": "off", "INCREMENTAL_READS": "true"},
    {"INCREMENTAL_READS": "false"},
)
LIMITS = {"on": True, "requests": 300, "window_s": 6, "concurrent": 8, "execution_s": 60.0}
WAYS = ("moment", "request", "request held", "write held", "none")


@dataclass
class End:
    """How the CRM and the journal stand."""

    rows: Rows
    journal: list[tuple[str, str, str, str, str, str]]

    def states(self) -> dict[Unit, tuple[str, str]]:
        """The last word on each unit or trimmed contact, over all runs."""
        return {(table, row): (state, code) for _, table, row, state, _, code in self.journal}

    def units(self, *states: str) -> set[Unit]:
        trims = {(table, row) for _, table, row, _, disposition, _ in self.journal if disposition == "trim"}
        return {unit for unit, (state, _) in self.states().items() if state in states} - trims

    @property
    def counted(self) -> int:
        return sum(row["cf_count"] for row in self.rows["cf_statistic"])

    @property
    def statistics(self) -> list[str]:
        return sorted(
            json.dumps({k: v for k, v in row.items() if k not in VOLATILE | {"cf_statisticid", "createdon"}})
            for row in self.rows["cf_statistic"]
        )


@dataclass(frozen=True)
class Story:
    """What happens to one trial."""

    number: int
    rules: Sequence[Rule] = ()
    way: str = "moment"
    kills: int = 1
    at_request: int = 0
    lasting: bool = False
    meddle: str = ""

    def __str__(self) -> str:
        where = f" at request {self.at_request}" if self.at_request else ""
        meddled = f", {self.meddle} meanwhile" if self.meddle else ""
        return f"trial {self.number}: {self.kills} kills, {self.way}{where}{meddled}, faults {json.dumps(list(self.rules))}"


@dataclass
class Tally:
    """What was done, for the report."""

    trials: int = 0
    kills: int = 0
    applies: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)


class Chaos:
    """One organisation, its twin, and trials on it."""

    def __init__(
        self,
        seed: int,
        count: int,
        folder: Path,
        *,
        sign_in: bool = False,
        settings: dict[str, str] | None = None,
        prompt: Prompt | CommandLine | None = None,
        say: Callable[[str], object] = lambda text: None,
    ) -> None:
        self.seed = seed
        self.rng = Random(seed)
        self.findings = Findings()
        self.tally = Tally()
        chosen = settings if settings is not None else SETTINGS[seed % len(SETTINGS)]
        self.stage = Stage(folder, AT, settings=chosen, sign_in=sign_in, prompt=prompt)
        self.organisation: Organisation = draw(
            seed, datetime.fromisoformat(AT.replace("Z", "+00:00")), count, folder / "objects", frozenset({"objects"})
        )
        self.kit = Trial(Findings(), self.organisation, self.stage.api, Product(folder, self.stage.url, AT, "UTC"), other_plans=False)
        self.label = f"seed {seed} {chosen}{' signed in' if sign_in else ''}"
        self.story = Story(0)
        self.plan: dict[str, Any] = {}
        self.before: Rows = {}
        self.images: dict[str, str] = {}
        self.twin: End
        self.requests = 0
        self.seconds = 0.0
        self.say = say
        self.told: list[str] = []  # how each `apply` of the trial ended

    def close(self) -> None:
        self.stage.close()

    def check(self, holds: object, text: str) -> None:
        if not holds:
            self.findings.problem(f"{self.label}, {self.story}\n    {text}")
            self.say(f"FAIL {self.findings.problems[-1]}\n")

    def fact(self, text: str) -> None:
        self.findings.facts.append(text)
        self.say(f"     {text}\n")

    # -- setting up ------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Load, plan, keep, and see what an undisturbed run makes of it."""
        stage = self.stage
        stage.api.control("PUT", "limits", {"on": False})
        self.organisation.load(stage.api)
        self.plan = self.planned()
        stage.keep()
        self.before, self.images = stage.api.everything(), stage.api.images()
        self.narrow()
        asked, began = stage.api.control("GET", "stats")["requests"], time.monotonic()
        args = ("apply", self.plan["plan"])
        done = stage.end(stage.begin(*args), args)  # as the runs that are killed after so many seconds of it
        self.seconds, self.requests = time.monotonic() - began, stage.api.control("GET", "stats")["requests"] - asked
        self.check(done.code == 0, f"the undisturbed run ends with {done.code}: {done.err[-600:]}")
        self.twin = self.end()
        gone = self.gone(self.twin.rows)
        expected = self.kit.expected_gone(self.before, self.twin.units("done"))
        self.check(gone == expected, f"the undisturbed run: {self.differing(expected, gone)}")
        self.fact(
            f"{self.label}: {self.plan['units']} units, dispose {self.plan['dispose']}; the undisturbed run took {self.requests} requests, "
            f"{self.seconds:.1f} s, {sum(map(len, gone.values()))} rows gone"
        )

    def planned(self) -> dict[str, Any]:
        """A new plan of all kinds, approved where that is needed."""
        done = self.stage.run("plan", "--kind", "all")
        plan = done.document()
        self.check(done.code == 0, f"plan exits {done.code}: {done.err[-600:]}")
        for role in (plan.get("approvals") or {}).get("needed", []):
            approved = self.stage.run("plans", "approve", plan["plan"], "--as", f"chaos-{role}", "--role", role)
            self.check(approved.code == 0, f"approving exits {approved.code}: {approved.err[-600:]}")
        return dict(plan)

    def narrow(self) -> None:
        self.stage.api.control("PUT", "limits", LIMITS)

    # -- one trial -------------------------------------------------------------------------------------------

    def act(self, story: Story) -> None:
        """One trial from the kept moment to its end, and everything that is looked at afterwards."""
        self.story, stage, self.told = story, self.stage, []
        self.tally.trials += 1
        stage.set_back()
        self.kit.api = stage.api
        self.narrow()
        args = ("apply", self.plan["plan"])
        held: dict[str, set[str]] = {}
        for kill in range(story.kills):
            self.faults(story)
            spoken = self.kill(args, story)
            if spoken.code >= 0:
                self.ended(spoken, faults=True)
            else:
                self.tally.kills += 1
            if story.meddle and kill == 0:
                held = self.meddle(story.meddle)
            if spoken.code in (0, 6):
                break
        for _ in range(TRIES):
            self.faults(story, hold=False)
            spoken = self.apply(args, faults=True)
            if spoken.code in (0, 6):
                break
        self.clear()
        calm = stage.api.writes()
        last = self.apply(args, faults=False)
        if spoken.code in (0, 6):
            self.check(last.code == 0, f"applying a finished plan again exits {last.code}")
            self.check(stage.api.writes() == calm, f"applying a finished plan again wrote: {calm} -> {stage.api.writes()}")
            self.check(last.document().get("run") == spoken.document().get("run"), "applying a finished plan again is another run")
        else:
            self.check(last.code in (0, 6), f"without faults the run does not end: {last.code}: {last.err[-800:]}")
        if last.code not in (0, 6):
            return
        first = self.end()
        self.outcome(last.document(), first, held)
        self.record(last.document(), first)
        self.follow_up(first, held)

    def faults(self, story: Story, *, hold: bool = True) -> None:
        rules = list(story.rules)
        if hold and story.way == "request":
            rules.append({"match": {"method": ["GET", "POST"]}, "do": "latency", "ms": 12})
        if hold and story.way == "request held":
            rules.append({"match": {"method": ["GET", "POST"]}, "do": "latency", "ms": 60})
        if hold and story.way == "write held":
            rules.append(
                {"match": {"method": "POST", "path": self.rng.choice((BATCH, r"re:\$batch$|BulkDelete$"))}, "do": "latency", "ms": 500}
            )
        self.count_fired()
        self.stage.api.control("PUT", "faults", rules)
        self.stage.api.control("PUT", "switches", {"failed_change_set": self.rng.choice(("nested", "plain"))})

    def count_fired(self) -> None:
        for rule in self.stage.api.control("GET", "faults"):
            self.tally.fired[rule["do"]] += rule["fired"]

    def clear(self) -> None:
        self.count_fired()
        self.stage.api.control("PUT", "faults", [])
        self.stage.api.control("PUT", "limits", {"on": False})

    def kill(self, args: Sequence[str], story: Story) -> Spoken:
        self.tally.applies += 1
        if story.way.startswith("request"):
            at = story.at_request or self.rng.randint(1, max(2, self.requests))
            spoken = self.stage.run_killed(args, at_request=at)
        else:
            spoken = self.stage.run_killed(args, after_s=self.rng.uniform(0.25, self.seconds * 1.2 + 0.4))
        self.heard(spoken)
        return spoken

    def heard(self, spoken: Spoken) -> None:
        self.tally.codes[spoken.code] += 1
        why = f" {spoken.error().get('message')}" if spoken.code > 0 else ""
        self.told.append(f"{spoken.code} in {spoken.seconds:.1f} s{why}")

    def apply(self, args: Sequence[str], *, faults: bool) -> Spoken:
        self.tally.applies += 1
        spoken = self.stage.run(*args)
        self.heard(spoken)
        self.ended(spoken, faults=faults)
        return spoken

    def ended(self, spoken: Spoken, *, faults: bool) -> None:
        """Exit codes and what is said with them (contract, section 3)."""
        self.check(spoken.code in ((0, 4, 6) if faults else (0, 6)), f"`apply` exits {spoken.code}: {spoken.err[-1500:]}")
        self.check("Traceback" not in spoken.err, f"a traceback: {spoken.err[-1500:]}")
        if spoken.code in (0, 6):
            document = spoken.document()
            failing = document.get("state") == "done_with_failures"
            self.check(document.get("state") in ("done", "done_with_failures"), f"`apply` ends with {document.get('state')}")
            if spoken.code == 6:
                self.check(failing, "exit 6 and yet no failures")
        elif spoken.code > 0:
            self.check({"code", "message", "hint", "where"} <= spoken.error().keys(), f"no error document: {spoken.err[-600:]}")

    def meddle(self, how: str) -> dict[str, set[str]]:
        """Somebody works in the CRM between a kill and the resumption; gives the rows that must stay, by
        table."""
        time.sleep(SETTLED_S)
        api = self.stage.api
        self.count_fired()
        api.control("PUT", "faults", [])
        api.control("PUT", "limits", {"on": False})
        now = api.everything()
        there = {row["cf_dossierid"] for row in now["cf_dossier"]}
        due = sorted(row for table, row in self.twin.units("done") if table == "cf_dossier" and row in there)
        held: dict[str, set[str]] = {}
        for dossier in self.rng.sample(due, min(2, len(due))):
            address = f"cf_dossiers({dossier})"
            if how == "hold":
                api.send([("PATCH", address, {"cf_legalhold": True})])
            elif how == "reopen":
                api.send([("PATCH", address, {"statecode": 0, "statuscode": 1, "cf_reopenedon": AT})])
            else:
                row = self.organisation.new_id()
                body = {"cf_ficheid": row, "cf_name": "laat (fictief)", "cf_communicatedon": AT, "cf_DossierId@odata.bind": address}
                api.send([("POST", "cf_fiches", body)])
            unit = {("cf_dossier", dossier)}
            for table, rows in self.kit.expected_gone(now, unit).items():
                if how == "hold" or table not in ("cf_recording", "annotation"):
                    held.setdefault(table, set()).update(rows & by_id(now[table], table).keys())
            if how == "hold":
                fiches = {row["cf_ficheid"] for row in now["cf_fiche"] if row["_cf_dossierid_value"] == dossier}
                held.setdefault("cf_recording", set()).update(
                    r["cf_recordingid"] for r in now["cf_recording"] if r["_cf_ficheid_value"] in fiches
                )
        self.narrow()
        return held

    # -- what is looked at -----------------------------------------------------------------------------------

    def end(self) -> End:
        return End(self.stage.api.everything(), self.stage.journal())

    def gone(self, rows: Rows) -> dict[str, set[str]]:
        return {table: by_id(self.before[table], table).keys() - by_id(rows[table], table).keys() for table in SETS}

    def differing(self, expected: dict[str, set[str]], found: dict[str, set[str]]) -> str:
        told = []
        for table in SETS:
            more, less = sorted(found[table] - expected[table]), sorted(expected[table] - found[table])
            told += [f"{table}: gone without right {[self.place(row) for row in more[:4]]}"] * bool(more)
            told += [f"{table}: still there {[self.place(row) for row in less[:4]]}"] * bool(less)
        return "; ".join(told) or "the same"

    def place(self, row: str) -> str:
        return f"{row} [{self.organisation.origin.get(row, '?')}]"

    def outcome(self, document: dict[str, Any], end: End, held: dict[str, set[str]]) -> None:
        """The CRM is as the journal says, nothing went that the twin keeps, and without lasting trouble it is
        the twin's."""
        gone, twin_gone = self.gone(end.rows), self.gone(self.twin.rows)
        done, half = end.units("done"), end.units("partial")
        tampered = self.story.lasting or self.story.meddle
        for table, rows in gone.items():
            extra = rows - twin_gone[table]
            self.check(not extra, f"{table}: gone, and the twin keeps them: {[self.place(row) for row in sorted(extra)[:4]]}")
            touched = rows & held.get(table, set())
            self.check(not touched, f"{table}: gone in spite of {self.story.meddle}: {[self.place(row) for row in sorted(touched)[:4]]}")
        least, most = self.kit.expected_gone(self.before, done), self.kit.expected_gone(self.before, done | half)
        for table in SETS:
            self.check(
                least[table] <= gone[table] | set(), f"{table}: DONE in the journal, still there {sorted(least[table] - gone[table])[:4]}"
            )
            self.check(
                gone[table] <= most[table],
                f"{table}: gone without DONE in the journal {[self.place(r) for r in sorted(gone[table] - most[table])[:4]]}",
            )
        intended = [unit for unit, (state, _) in end.states().items() if state not in ("done", "skipped", "partial", "failed")]
        self.check(not intended, f"the journal leaves open {intended[:4]}")
        self.columns(end.rows, gone)
        if tampered or document.get("failed") or end.units("failed") or "SKIPPED_TECHNICAL" in (document.get("skipped") or {}):
            return
        self.check(gone == twin_gone, f"other rows gone than in the twin: {self.differing(twin_gone, gone)}")
        self.check(document.get("state") == "done" and not document.get("skipped"), f"not clean: {json.dumps(document)[:700]}")
        ours = end.states()
        self.check(ours == self.twin.states(), f"the journal is another: {self.other_states(ours)}")
        self.check(
            end.statistics == self.twin.statistics,
            f"other statistics: {len(end.statistics)} rows {end.counted}, twin {len(self.twin.statistics)} {self.twin.counted}",
        )
        self.check(self.plain(end.rows) == self.plain(self.twin.rows), f"other values than the twin: {self.other_values(end.rows)}")

    def other_states(self, ours: dict[Unit, tuple[str, str]]) -> list[Any]:
        theirs = self.twin.states()
        return [
            (unit, ours.get(unit), theirs.get(unit)) for unit in sorted(ours.keys() | theirs.keys()) if ours.get(unit) != theirs.get(unit)
        ][:5]

    @staticmethod
    def plain(rows: Rows) -> dict[str, dict[str, dict[str, Any]]]:
        return {
            table: {row_id: {k: v for k, v in row.items() if k not in VOLATILE} for row_id, row in by_id(rows[table], table).items()}
            for table in SETS
            if table != "cf_statistic"
        }

    def other_values(self, rows: Rows) -> list[Any]:
        ours, theirs = self.plain(rows), self.plain(self.twin.rows)
        return [
            (
                table,
                self.place(row_id),
                {c: (row.get(c), theirs[table][row_id].get(c)) for c in row if row.get(c) != theirs[table][row_id].get(c)},
            )
            for table in ours
            for row_id, row in ours[table].items()
            if row_id in theirs[table] and row != theirs[table][row_id]
        ][:3]

    def columns(self, rows: Rows, gone: dict[str, set[str]]) -> None:
        """Whatever survives has the values of before, those of the twin, or an emptied link to what is
        gone."""
        before, twin, everywhere = self.plain(self.before), self.plain(self.twin.rows), {row for ids in gone.values() for row in ids}
        for table, found in self.plain(rows).items():
            for row_id, row in found.items():
                old, other = before[table].get(row_id), twin[table].get(row_id)
                if old is None:
                    self.check(self.story.meddle == "new fiche" and table == "cf_fiche", f"a row appeared in {table}: {row_id}")
                    continue
                for column, value in row.items():
                    if value == old.get(column) or (other is not None and value == other.get(column)):
                        continue
                    if value is None and old.get(column) in everywhere:
                        continue
                    if (
                        self.story.meddle
                        and table == "cf_dossier"
                        and column in ("cf_legalhold", "statecode", "statuscode", "cf_reopenedon")
                    ):
                        continue
                    self.check(False, f"{table} {self.place(row_id)} {column} changed from {old.get(column)!r} to {value!r}")

    def record(self, document: dict[str, Any], end: End) -> None:
        """History, ledger and `verify` agree with what `apply` said (contract, section 3.5)."""
        stage, run = self.stage, str(document.get("run"))
        ledger = stage.run("ledger", "verify")
        self.check(ledger.code == 0 and ledger.document().get("ok") is True, f"the ledger does not verify: {ledger.out[:300]}")
        listed = [line for line in stage.run("history", "list").document() if line["plan"] == self.plan["plan"]]
        self.check([line["run"] for line in listed] == [run], f"history list has {[line['run'] for line in listed]} for one plan")
        self.check(all(line["state"] == document["state"] and line["ended_at"] for line in listed), f"history list: {listed}"[:400])
        shown = stage.run("history", "show", run).document()
        told = sum(shown.get("outcomes", {}).values())
        self.check(told == self.plan["units"], f"the outcomes add up to {told}, the plan has {self.plan['units']} units")
        verified = stage.run("verify", run)
        left = verified.document().get("still_there")
        self.check(verified.code == (6 if left else 0), f"verify exits {verified.code} with {left}")
        self.check(not left or document["state"] == "done_with_failures", f"verify finds {left}, the run says {document['state']}")
        twice = [unit for unit, n in Counter((run, table, row) for run, table, row, *_ in end.journal).items() if n > 1]
        self.check(not twice, f"twice in the journal: {twice[:3]}")
        path = stage.folder / "ledger.jsonl"
        stage.run("history", "export", "--output", str(path))
        refs: Counter[str] = Counter()
        endings = Counter[str]()
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            endings[entry["kind"]] += entry["run"] == run
            for unit in entry["data"].get("units", []) if entry["kind"] == "outcome" else []:
                refs[unit["ref"]] += unit["state"] == "done"
        self.check(
            all(n <= 1 for n in refs.values()), f"DONE more than once in the ledger: {[ref for ref, n in refs.items() if n > 1][:3]}"
        )
        self.check((endings["run_started"], endings["run_ended"]) == (1, 1), f"the ledger has {dict(endings)} of one run")

    def follow_up(self, end: End, held: dict[str, set[str]]) -> None:
        """What faults have left is found and done by the next nights; what was held or changed is not."""
        twin_gone = self.gone(self.twin.rows)
        for _ in range(3):
            gone = self.gone(end.rows)
            if gone == twin_gone:
                break
            plan = self.planned()
            spoken = self.stage.run("apply", plan["plan"])
            self.ended(spoken, faults=False)
            end = self.end()
        gone = self.gone(end.rows)
        for table, rows in gone.items():
            extra, touched = rows - twin_gone[table], rows & held.get(table, set())
            self.check(not extra, f"later: {table}: gone, and the twin keeps them: {[self.place(row) for row in sorted(extra)[:4]]}")
            if self.story.meddle != "new fiche":
                self.check(
                    not touched, f"later: {table}: gone in spite of {self.story.meddle}: {[self.place(row) for row in sorted(touched)[:4]]}"
                )
        if not held:
            self.check(gone == twin_gone, f"the next nights do not catch up: {self.differing(twin_gone, gone)}")
            self.check(end.counted == self.twin.counted, f"the statistics count {end.counted}, the twin's {self.twin.counted}")
        else:
            self.explained(end.rows, gone, twin_gone, held)
        for name in ("asyncoperations", "bulkdeleteoperations"):
            left = self.stage.api.rows(name)
            self.check(not left, f"{len(left)} rows left in {name}")
        again = self.stage.run("ledger", "verify")
        self.check(again.code == 0, "later: the ledger does not verify")

    def explained(self, rows: Rows, gone: dict[str, set[str]], twin_gone: dict[str, set[str]], held: dict[str, set[str]]) -> None:
        """What stays beyond the twin's belongs to a held unit: rows of it, or people whom a surviving row
        names."""
        named = {
            row[column] for table in ("cf_party", "activityparty") for row in rows[table] for column in row if column.endswith("_value")
        }
        named |= {row["_parentcustomerid_value"] for row in rows["contact"]}
        for table in SETS:
            left = twin_gone[table] - gone[table] - held.get(table, set())
            left -= {row for row in left if table in ("contact", "annotation", "phonecall", "email", "activityparty") or row in named}
            self.check(not left, f"later: {table}: still there without a reason {[self.place(row) for row in sorted(left)[:4]]}")
        contacts = twin_gone["contact"] - gone["contact"] - named
        self.check(not contacts, f"later: contact: still there without a link {[self.place(row) for row in sorted(contacts)[:4]]}")


def stories(chaos: Chaos, kills: int, *, systematic: bool) -> list[Story]:
    """The trials of one organisation."""
    rng, told = chaos.rng, list[Story]()
    if systematic:
        return [Story(at, way=rng.choice(("request", "request held")), at_request=at) for at in range(1, chaos.requests + 2)]
    number = 0
    while kills > 0:
        number += 1
        several = min(kills, rng.choice((1, 1, 2, 3, 5)))
        kills -= several
        lasting, meddle = rng.random() < 0.35, ""
        if not lasting and rng.random() < 0.35:
            meddle = rng.choice(("hold", "hold", "reopen", "new fiche"))
        rules = script(rng, lasting=lasting)
        if chaos.stage.sign_in:
            rules.append({"match": {"method": ["GET", "POST"], "every": rng.randint(5, 25)}, "do": "expire_token"})
        told.append(Story(number, rules, rng.choice(WAYS[:4]), several, lasting=lasting, meddle=meddle))
    return told


def examine(chaos: Chaos, kills: int, *, systematic: bool = False, only: int = 0) -> Findings:
    """All trials of one seed, and what they have shown."""
    try:
        chaos.prepare()
        for story in stories(chaos, kills, systematic=systematic):
            if only in (0, story.number):
                chaos.rng = Random(f"{chaos.seed}/{story.number}")
                chaos.act(story)
                chaos.fact(f"{story}: {', '.join(chaos.told)}")
    except (requests.RequestException, KeyError, TypeError, ValueError) as error:
        chaos.check(False, f"the trial broke off: {type(error).__name__}: {error}")
        raise
    finally:
        chaos.close()
    return chaos.findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from this one on")
    parser.add_argument("--dossiers", type=int, default=40, help="about so many dossiers and lone fiches")
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--systematic", action="store_true", help="instead, one kill at each request of the undisturbed run")
    parser.add_argument("--sign-in", action="store_true", help="https and the emulator's token endpoint instead of a fixed token")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the product, without its prefix")
    parser.add_argument("--only", type=int, default=0, help="the trial of this number")
    parser.add_argument("--folder", type=Path, help="an empty folder to work in; it is kept")
    given = parser.parse_args()
    settings = dict(pair.split("=", 1) for pair in given.set) or None
    problems = 0
    for seed in range(given.seed, given.seed + given.seeds):
        with tempfile.TemporaryDirectory() as scratch:
            folder = given.folder / str(seed) if given.folder else Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            chaos = Chaos(seed, given.dossiers, folder, sign_in=given.sign_in, settings=settings, say=aloud)
            found = len(examine(chaos, given.kills, systematic=given.systematic, only=given.only).problems)
        aloud(f"     {chaos.tally}\n{found} problems\n")
        problems += found
    return 1 if problems else 0


def aloud(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
