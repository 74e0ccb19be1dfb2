"""Loads an organisation full of traps into an empty emulator, lets the product plan and apply, and tells what
differs.

    python -m tests.independent.kit --seed 1 --dossiers 300

The product is driven through its commands alone; what must happen is computed by `evaluation.py`.
"""

import argparse
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from tests.independent.civil import days, instant_on
from tests.independent.counting import DURATIONS, FICHES, Cell, counted, generalised, needed
from tests.independent.emulator import Emulator
from tests.independent.evaluation import KEYS, Evaluation, Evaluator, Rows, Unit, Verdict, World
from tests.independent.inside import CommandLine
from tests.independent.organisation import Organisation
from tests.independent.people import TRIMMED, Fate, People
from tests.independent.product import Findings, Product
from tests.independent.prompt import Prompt
from tests.independent.traps import draw
from tests.independent.wire import IDS, SETS, WebApi, by_id

VOLATILE = {"@odata.etag", "modifiedon", "versionnumber", "_modifiedby_value"}
IMAGE = {"entityimage", "entityimageid", "entityimage_timestamp", "entityimage_url"}
INSTANTS = (
    "2026-11-25T11:00:00Z",
    "2026-02-28T22:15:00Z",
    "2026-02-28T23:05:00Z",
    "2026-03-29T21:10:00Z",
    "2026-03-29T22:05:00Z",
    "2026-10-25T22:05:00Z",
    "2026-10-25T23:05:00Z",
    "2024-02-29T12:00:00Z",
    "2026-12-31T23:30:00Z",
    "2026-08-31T21:05:00Z",
    "2028-03-01T08:00:00Z",
    "2027-05-31T22:30:00Z",
)


def examine(
    seed: int,
    count: int,
    folder: Path,
    as_of: str | None = None,
    without: frozenset[str] = frozenset(),
    *,
    other_plans: bool = True,
    prompt: Prompt | CommandLine | None = None,
) -> Findings:
    """One whole trial in an empty folder; `other_plans` adds plans of one kind and of other days, `prompt`
    types the commands."""
    findings = Findings()
    at = as_of or INSTANTS[seed % len(INSTANTS)]
    emulator = Emulator(folder, folder / "emulator.log", "--limits", "off")
    api = emulator.api
    try:
        api.control("PUT", "clock", {"now": at})
        started = time.monotonic()
        organisation = draw(seed, datetime.fromisoformat(at.replace("Z", "+00:00")), count, folder / "objects", without)
        organisation.load(api)
        findings.facts.append(
            f"seed {seed}, clock {at}: {len(organisation.creates)} rows loaded in {time.monotonic() - started:.1f} s, "
            f"{len(organisation.canaries)} canaries"
        )
        product = Product(folder, emulator.url, at, ("America/New_York", "UTC", "Asia/Tokyo")[seed % 3], prompt)
        Trial(findings, organisation, api, product, other_plans=other_plans).run()
    except (requests.RequestException, subprocess.TimeoutExpired, KeyError, TypeError, ValueError) as error:
        findings.problem(f"the trial broke off: {type(error).__name__}: {error}")
        raise
    finally:
        emulator.close()
    return findings


class Trial:
    """Plan, compare, apply, look at everything."""

    def __init__(self, findings: Findings, organisation: Organisation, api: WebApi, product: Product, *, other_plans: bool) -> None:
        self.other_plans = other_plans
        self.findings = findings
        self.organisation = organisation
        self.api = api
        self.product = product
        self.explained = 0

    def run(self) -> None:
        findings, api = self.findings, self.api
        before, images = api.everything(), api.images()
        untouched = api.writes()
        outputs = [f"plan.{kind}" for kind in ("jsonl", "csv", "json", "html", "xlsx")]
        started = time.monotonic()
        plan = self.product.json(findings, "plan", *[part for name in outputs for part in ("--output", name)])
        if not plan:
            return
        findings.check(api.writes() == untouched, "planning wrote to the CRM (R-061)")
        lines = self.lines("plan.jsonl")
        findings.facts.append(
            f"planned {plan['units']} units in {time.monotonic() - started:.1f} s: dispose {plan['dispose']}, retain {plan['retain']}, "
            f"breaker {plan['breaker']['tripped']}"
        )
        self.compare_document(plan, lines)
        instant = datetime.fromisoformat(str(plan["as_of"]).replace("Z", "+00:00"))
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        evaluation = Evaluator(before, instant).all()
        fates = People(World(before), evaluation.units, evaluation.day).fates()
        self.compare("plan", evaluation, fates, lines)

        if self.other_plans:
            self.parts(lines)
            self.other_days(before, evaluation)

        for role in (plan.get("approvals") or {}).get("needed", []):
            self.product.json(findings, "plans", "approve", plan["plan"], "--as", f"kit-{role}", "--role", role)
        started = time.monotonic()
        run = self.product.json(findings, "apply", plan["plan"], expect=(0,))
        if not run:
            return
        findings.facts.append(
            f"applied in {time.monotonic() - started:.1f} s: {run['state']}, deleted {run['deleted']}, anonymised {run['anonymised']}, "
            f"skipped {run['skipped']}, partial {run['partial']}, failed {run['failed']}, rows {run['rows']}"
        )
        findings.check(
            run["state"] == "done"
            and not run["partial"]
            and not run["failed"]
            and not run["skipped"]
            and not run["verified"]["still_there"],
            f"apply is not clean: {json.dumps({k: run[k] for k in ('state', 'skipped', 'partial', 'failed', 'verified')})}",
        )
        disposed = {unit for unit, line in lines.items() if line["outcome"] == "dispose"}
        after = api.everything()
        self.aftermath(before, after, images, disposed, fates)
        self.statistics(before, after, evaluation, disposed)
        self.objects(disposed)

        calm = api.writes()
        again = self.product.json(findings, "apply", plan["plan"])
        findings.check(again.get("run") == run["run"], "applying the finished plan again is not the same run")
        findings.check(api.writes() == calm, f"applying the finished plan again wrote: {calm} -> {api.writes()}")
        second = self.product.json(findings, "plan", "--output", "second.jsonl")
        if second:
            due = [line for line in self.lines("second.jsonl").values() if line["outcome"] == "dispose"]
            findings.check(not due, f"a second plan finds {len(due)} units due, e.g. {self.place(due[0]) if due else ''}")
            at = datetime.fromisoformat(str(second["as_of"]).replace("Z", "+00:00"))
            later = Evaluator(after, at).all()
            self.compare("second plan", later, People(World(after), later.units, later.day).fates(), self.lines("second.jsonl"))
            self.product.json(findings, "apply", second["plan"])
            findings.check(api.writes() == calm, f"applying a plan without anything due wrote: {calm} -> {api.writes()}")
        checked = self.product.json(findings, "verify", run["run"])
        findings.check(checked.get("still_there") == [], f"verify: {str(checked)[:300]}")
        ledger = self.product.json(findings, "ledger", "verify")
        findings.check(ledger.get("ok") is True, f"ledger verify: {ledger}")
        self.product.json(findings, "history", "list")
        self.product.json(findings, "history", "show", run["run"])
        self.product.run("history", "export", "--output", "ledger.jsonl")
        findings.check(self.product.run("ledger", "verify", "ledger.jsonl").code == 0, "the exported ledger does not verify")
        self.product.run("plans", "show", plan["plan"], "--output", "shown.html")
        self.canaries()

    # -- the plan --------------------------------------------------------------------------------------------

    def lines(self, name: str) -> dict[Unit, dict[str, Any]]:
        found: dict[Unit, dict[str, Any]] = {}
        if not (self.product.folder / name).exists():
            self.findings.problem(f"{name} was not written")
            return found
        for text in (self.product.folder / name).read_text().splitlines():
            line = json.loads(text)
            unit = (line["table"], line["id"])
            self.findings.check(unit not in found, f"{name} has two lines for {unit}")
            found[unit] = line
        return found

    def parts(self, lines: dict[Unit, dict[str, Any]]) -> None:
        """A plan of one kind says of its units what the plan of all kinds says."""
        together: dict[Unit, dict[str, Any]] = {}
        for kind in ("retention", "recordings"):
            self.product.json(self.findings, "plan", "--kind", kind, "--output", f"{kind}.jsonl")
            together |= self.lines(f"{kind}.jsonl")
        odd = [unit for unit in lines.keys() | together.keys() if lines.get(unit) != together.get(unit)]
        self.findings.check(not odd, f"{len(odd)} lines of `plan --kind` differ from those of all kinds, e.g. {odd[:2]}")

    def other_days(self, before: Rows, evaluation: Evaluation) -> None:
        """The last second of the day and the first of the next one (DAT-02), and days to come."""
        midnight = datetime.fromisoformat(instant_on(evaluation.day + days(1), 0))
        for at in (midnight - timedelta(seconds=1), midnight, midnight + days(self.organisation.rng.randint(20, 200))):
            name = f"asof-{at:%Y%m%dT%H%M%S}.jsonl"
            if self.product.json(self.findings, "plan", "--as-of", at.isoformat().replace("+00:00", "Z"), "--output", name):
                then = Evaluator(before, at).all()
                self.compare(f"as of {at}", then, People(World(before), then.units, then.day).fates(), self.lines(name))

    def compare_document(self, plan: dict[str, Any], lines: dict[Unit, dict[str, Any]]) -> None:
        """The totals of the answer are those of the lines (R-143)."""
        findings = self.findings
        findings.check(plan["units"] == len(lines), f"plan says {plan['units']} units, the file has {len(lines)} lines")
        retained = Counter(line["reason"] for line in lines.values() if line["outcome"] == "retain")
        findings.check({k: v for k, v in plan["retain"].items() if v} == retained, f"plan.retain {plan['retain']} is not {dict(retained)}")
        gone = Counter(line["disposition"] for line in lines.values() if line["outcome"] == "dispose")
        findings.check({k: v for k, v in plan["dispose"].items() if v} == gone, f"plan.dispose {plan['dispose']} is not {dict(gone)}")
        flags = Counter(flag for line in lines.values() for flag in line["flags"])
        findings.check({k: v for k, v in plan["flags"].items() if v} == flags, f"plan.flags {plan['flags']} is not {dict(flags)}")
        due = Counter(
            "recordings" if table in ("cf_recording", "annotation") else "units"
            for (table, _), line in lines.items()
            if line["outcome"] == "dispose" and table != "contact"
        )
        for kind in ("units", "recordings"):
            planned = plan["breaker"][kind]["planned"]
            findings.check(planned == due[kind], f"breaker.{kind}.planned is {planned}, the lines say {due[kind]}")

    def compare(self, title: str, evaluation: Evaluation, fates: dict[str, Fate], lines: dict[Unit, dict[str, Any]]) -> None:
        wrong = 0
        for unit, verdict in evaluation.units.items():
            line = lines.get(unit)
            difference = "no line" if line is None else self.difference(verdict, line)
            if difference:
                wrong += 1
                self.tell(f"{title}: {unit[0]} {unit[1]} [{self.organisation.origin.get(unit[1], '?')}] {difference}", unit, verdict)
        for unit, line in lines.items():
            if unit not in evaluation.units and unit[0] != "contact":
                wrong += 1
                self.findings.problem(f"{title}: a line too many: {line}")
        for contact, fate in fates.items():
            line = lines.get(("contact", contact))
            if line is None:
                right = fate.ways & {"kept", "trimmed"}
            elif line["outcome"] == "dispose":
                right = fate.ways & {"removed"}
            else:
                right = fate.ways & {"orphan"}
            if not right:
                wrong += 1
                said = "no line" if line is None else f"{line['outcome']} {line['reasons']}"
                where = f"{title}: contact {contact} [{self.organisation.origin.get(contact, '?')}]"
                self.findings.problem(f"{where} must be {sorted(fate.ways)} ({fate.why}), found {said}; links: {fate.links}")
            elif len(fate.ways) > 1 and title == "plan":
                why = re.sub(r" [0-9a-f]{8}-[0-9a-f-]{27}", "", fate.why)
                said = "no line" if line is None else str(line["outcome"])
                self.findings.doubts.append(f"a contact may be {' or '.join(sorted(fate.ways))} ({why}): the product says {said}")
            if line is not None:
                form: tuple[Any, ...] = (
                    (None, "delete", ["EXPIRED"], "RET-20", [], [])
                    if line["outcome"] == "dispose"
                    else (None, None, ["ORPHAN_CONTACT"], line["rule"], [], ["ORPHAN_CONTACT"])
                )
                told = (line["retention_end"], line["disposition"], line["reasons"], line["rule"], line["categories"], line["flags"])
                self.findings.check(told == form, f"{title}: contact {contact}: line {told}, expected {form}")
        for unit in lines:
            if unit[0] == "contact" and unit[1] not in fates:
                self.findings.problem(f"{title}: a line for an unknown contact {unit[1]}")
        self.findings.facts.append(f"{title}: {len(evaluation.units)} units and {len(fates)} contacts compared, {wrong} differ")

    def difference(self, verdict: Verdict, line: dict[str, Any]) -> str:
        parts: list[str] = []
        end = verdict.end.isoformat() if verdict.end else None
        for name, want in (("outcome", verdict.outcome), ("disposition", verdict.disposition)):
            if line[name] != want:
                parts.append(f"{name}: expected {want}, found {line[name]}")
        if [r for r in line["reasons"] if r not in verdict.may_reasons] != verdict.reasons:
            parts.append(f"reasons: expected {verdict.reasons}, found {line['reasons']}")
        if line["reason"] != verdict.reason:
            parts.append(f"reason: expected {verdict.reason}, found {line['reason']}")
        if line["retention_end"] != end:
            parts.append(f"retention_end: expected {end}, found {line['retention_end']}")
        if sorted(line["categories"]) != verdict.categories:
            parts.append(f"categories: expected {verdict.categories}, found {line['categories']}")
        flags = set(line["flags"])
        if lacking := verdict.flags - flags:
            parts.append(f"flags lacking: {sorted(lacking)}")
        if extra := flags - verdict.flags - verdict.may:
            parts.append(f"flags too many: {sorted(extra)}")
        return "; ".join(parts)

    def tell(self, text: str, unit: Unit, verdict: Verdict) -> None:
        """A difference with both explanations; the product is asked for the first few only."""
        trace = ""
        if self.explained < 12:
            self.explained += 1
            done = self.product.run("why", *unit, "--json")
            try:
                steps = json.loads(done.out)["trace"]
                trace = "\n    product: " + "\n    product: ".join(json.dumps(step, ensure_ascii=False)[:300] for step in steps)
            except (ValueError, KeyError):
                trace = f"\n    product: why exits {done.code} {done.err.strip()[-200:]}"
        self.findings.problem(text + "".join(f"\n    expected: {step}" for step in verdict.steps) + trace)

    # -- the CRM afterwards ----------------------------------------------------------------------------------

    def place(self, line: dict[str, Any]) -> str:
        return f"{line['table']} {line['id']} [{self.organisation.origin.get(line['id'], '?')}]"

    def expected_gone(self, before: Rows, disposed: set[Unit]) -> dict[str, set[str]]:
        """Every row that must have gone with the disposed units (R-158)."""
        world = World(before)
        gone: dict[str, set[str]] = {table: {row for t, row in disposed if t == table} for table in SETS}
        gone["cf_fiche"] |= {f["cf_ficheid"] for f in before["cf_fiche"] if f["_cf_dossierid_value"] in gone["cf_dossier"]}
        gone["cf_party"] |= {p["cf_partyid"] for p in before["cf_party"] if (units := world.units_of_party(p)) and units <= disposed}
        hosts = gone["cf_dossier"] | gone["cf_fiche"] | gone["cf_recording"] | gone["contact"]
        gone["annotation"] |= {n["annotationid"] for n in before["annotation"] if n["_objectid_value"] in hosts}
        for table in KEYS:
            gone[table] |= {a["activityid"] for a in before[table] if a["_regardingobjectid_value"] in hosts}
        activities = gone["phonecall"] | gone["email"]
        gone["activityparty"] |= {p["activitypartyid"] for p in before["activityparty"] if p["_activityid_value"] in activities}
        return gone

    def aftermath(self, before: Rows, after: Rows, images: dict[str, str], disposed: set[Unit], fates: dict[str, Fate]) -> None:
        findings, origin = self.findings, self.organisation.origin
        gone = self.expected_gone(before, disposed)
        trimmed: set[str] = set()
        images_after = self.api.images()
        for table in SETS:
            if table == "cf_statistic":
                continue
            old, new = by_id(before[table], table), by_id(after[table], table)
            for row_id in new.keys() - old.keys():
                findings.problem(f"aftermath: a row appeared in {table}: {row_id}")
            for row_id, row in old.items():
                where = f"aftermath: {table} {row_id} [{origin.get(row_id, '?')}]"
                if table == "contact":
                    where += f" {sorted(fates[row_id].ways)} links {fates[row_id].links}"
                if row_id in gone[table]:
                    findings.check(row_id not in new, f"{where} is still there")
                    continue
                if row_id not in new:
                    findings.problem(f"{where} is gone and had to stay")
                    continue
                allowed: dict[str, Any] = {}
                for column, value in row.items():
                    if column.startswith("_") and column.endswith("_value") and value is not None:
                        target = {
                            "_cf_ficheid_value": "cf_fiche",
                            "_cf_dossierid_value": "cf_dossier",
                            "_cf_contactid_value": "contact",
                            "_parentcustomerid_value": "contact",
                        }
                        if column in target and value in gone[target[column]]:
                            allowed[column] = None
                changed = {c for c in row.keys() | new[row_id].keys() if row.get(c) != new[row_id].get(c)}
                if table == "contact":
                    ways = fates[row_id].ways
                    holds_something = any(row.get(c) is not None for c in TRIMMED) or row_id in images
                    emptied = {c for c in TRIMMED if row.get(c) is not None and new[row_id].get(c) is None}
                    if row_id in images and row_id not in images_after:
                        emptied.add("entityimage")
                    may_trim = "trimmed" in ways and holds_something
                    if may_trim and ("kept" not in ways or emptied):
                        trimmed.add(row_id)
                        allowed |= dict.fromkeys((*TRIMMED, *IMAGE))
                        left = [c for c in TRIMMED if new[row_id].get(c) is not None] + (["entityimage"] if row_id in images_after else [])
                        findings.check(not left, f"{where} must be trimmed ({fates[row_id].why}), still has {left}")
                    else:
                        findings.check(images.get(row_id) == images_after.get(row_id), f"{where} lost its image")
                if allowed:
                    changed -= VOLATILE
                elif changed and changed <= VOLATILE and table == "contact" and "trimmed" in fates[row_id].ways:
                    findings.doubts.append(
                        "a contact with nothing to empty was written all the same: only its version and modifiedon changed"
                    )
                    continue
                bad = {c: (row.get(c), new[row_id].get(c)) for c in changed if c not in allowed or new[row_id].get(c) != allowed[c]}
                findings.check(not bad, f"{where} changed: {bad}")
                for column, value in allowed.items():
                    if column not in TRIMMED and column not in IMAGE:
                        findings.check(new[row_id].get(column) == value, f"{where}: {column} still leads to a row that is gone")
        findings.facts.append(
            "aftermath: gone "
            + ", ".join(f"{table} {len(ids)}" for table, ids in gone.items() if ids)
            + f"; trimmed contacts {len(trimmed)}"
        )
        self.leftovers(after, gone, trimmed)

    def leftovers(self, after: Rows, gone: dict[str, set[str]], trimmed: set[str]) -> None:
        """No value of a row that went stands anywhere in the CRM."""
        surviving: set[str] = set()
        dead: dict[str, str] = {}
        for canary in self.organisation.canaries:
            table = canary.table if canary.table != "activityparty" else self.table_of(canary.row_id)
            if canary.row_id in gone[table] or (table == "contact" and canary.row_id in trimmed and canary.column in TRIMMED):
                dead[canary.value] = f"{canary.table} {canary.row_id} {canary.column} [{self.organisation.origin.get(canary.row_id, '?')}]"
            else:
                surviving.add(canary.value)
        text = json.dumps({**after, **self.api.platform()}, ensure_ascii=False).lower()
        found = Searched(text)
        for value, where in dead.items():
            if value not in surviving and value.lower() in found:
                self.findings.problem(f"leftover: a value of {where} is still in the CRM")
        self.findings.facts.append(f"leftovers: {len(dead)} values of rows that went looked for in {len(text):,} characters")

    def table_of(self, row_id: str) -> str:
        return next(table for table, columns in self.organisation.creates if columns[IDS[table]] == row_id)

    def objects(self, disposed: set[Unit]) -> None:
        for recording, path in self.organisation.objects.items():
            if ("cf_recording", recording) in disposed:
                self.findings.check(not path.exists(), f"the object of recording {recording} is still in storage")
            else:
                self.findings.check(path.exists(), f"the object of kept recording {recording} is gone")

    def statistics(self, before: Rows, after: Rows, evaluation: Evaluation, disposed: set[Unit]) -> None:
        """ERA-08 to ERA-10: small cells, and every disposed dossier or lone fiche counted once."""
        findings = self.findings
        units = counted(World(before), evaluation, disposed)
        rows: Counter[Cell] = Counter()
        totals: Counter[tuple[str, int | None]] = Counter()
        keys = Counter[tuple[str, int | None]]()
        for row in after["cf_statistic"]:
            key = row["cf_categorykey"]
            if key.startswith("total_"):
                totals[key, row["cf_year"]] += row["cf_count"]
                keys[key, row["cf_year"]] += 1
                filled = [
                    c
                    for c in (
                        "cf_province",
                        "cf_ageband",
                        "cf_sex",
                        "cf_outcomekey",
                        "cf_channel",
                        "cf_reporterkind",
                        "cf_durationband",
                        "cf_fichesband",
                    )
                    if row[c] is not None
                ]
                findings.check(not filled, f"statistics: a row of totals has {filled}")
            else:
                rows[row["cf_year"], key, row["cf_province"], row["cf_ageband"], row["cf_sex"], row["cf_outcomekey"]] += 1
                findings.check(row["cf_count"] == 1, f"statistics: cf_count is {row['cf_count']}")
                findings.check(row["cf_durationband"] in DURATIONS | {None}, f"statistics: duration {row['cf_durationband']}")
                findings.check(row["cf_fichesband"] in FICHES | {None}, f"statistics: fiches {row['cf_fichesband']}")
        findings.check(
            all(n == 1 for n in keys.values()), f"statistics: more than one row of totals for {[k for k, n in keys.items() if n > 1]}"
        )
        for cell, number in rows.items():
            findings.check(number >= needed(cell[1]), f"statistics: only {number} rows share {cell} (ERA-08)")
        told = sum(rows.values()) + sum(totals.values())
        findings.check(told == len(units), f"statistics: {told} counted, {len(units)} dossiers and lone fiches disposed of")
        clear = [u for u in units if len(u.missions) == 1]
        if len(clear) == len(units):
            want = Counter((next(iter(u.missions)), u.year) for u in units)
            have = Counter(totals)
            for cell, number in rows.items():
                prefix = (
                    "disappearance" if cell[1].startswith("missing") else "exploitation" if cell[1].startswith("exploitation") else "other"
                )
                have["total_" + prefix, cell[0]] += number
            for place in sorted(want.keys() | have.keys(), key=str):
                findings.check(want[place] == have[place], f"statistics: {place}: {have[place]} counted, {want[place]} disposed of")
        wanted, _ = generalised([u.cell for u in units if u.cell])
        unsure = {(u.cell[0], u.cell[1]) for u in units if u.cell and not u.sure}
        for cell in sorted(wanted.keys() | rows.keys(), key=str):
            if (cell[0], cell[1]) not in unsure:
                findings.check(wanted[cell] == rows[cell], f"statistics: {cell}: {rows[cell]} rows, {wanted[cell]} expected (ERA-09)")
        written = f"{sum(rows.values())} rows ({sum(wanted.values())} expected)"
        findings.facts.append(f"statistics: {len(units)} counted in {written} and {sum(totals.values())} in totals")

    # -- what the product wrote ------------------------------------------------------------------------------

    def canaries(self) -> None:
        values = {canary.value.lower(): canary for canary in self.organisation.canaries}
        places = [("stdout and stderr", self.product.spoken)]
        for path in sorted(self.product.folder.rglob("*")):
            if path.is_file() and path.name != "emulator.log" and self.product.folder / "objects" not in path.parents:
                places += [(str(path.relative_to(self.product.folder)), text) for text in readable(path)]
        lows = [(where, text.lower()) for where, text in places]
        size = sum(len(low) for _, low in lows)
        together = Searched("\n|\n".join(low for _, low in lows))
        seen = {value: canary for value, canary in values.items() if value in together}
        for where, low in lows if seen else ():
            found = Searched(low)
            if kinds := Counter(f"{canary.table}.{canary.column}" for value, canary in seen.items() if value in found):
                self.findings.problem(f"canary: {where} holds values of {dict(kinds)}")
        for where, low in lows:
            for word in ("fictief", "example.org"):
                self.findings.check(word not in low, f"canary: {where} holds '{word}'")
        self.findings.facts.append(f"canaries: {len(values)} values looked for in {len(places)} places, {size:,} characters")


class Searched:
    """A lower-case text in which many values are looked for: whole words by their letters, numbers by their
    digits and separators."""

    def __init__(self, low: str) -> None:
        self.low = low
        self.words = set(re.findall(r"[a-z]+", low))
        self.figures = "\n".join({run for run in re.findall(r"[0-9+./\s\-\uff10-\uff19]+", low) if len(run) > 8})

    def __contains__(self, value: str) -> bool:
        words = re.findall(r"[a-z]+", value)
        if words and any(sign.isdigit() for sign in value):
            return value in self.low
        return all(word in self.words for word in words) if words else value in self.figures


def readable(path: Path) -> Iterator[str]:
    """The text of a file, of the members of a ZIP container, and of what a database keeps compressed."""
    body = path.read_bytes()
    yield body.decode("utf-8", "replace")
    yield path.name
    if body.startswith(b"PK"):
        with zipfile.ZipFile(path) as container:
            for name in container.namelist():
                yield container.read(name).decode("utf-8", "replace")
    if body.startswith(b"\x1f\x8b"):
        yield zlib.decompress(body, 47).decode("utf-8", "replace")
    if body.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            for (table,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
                for row in database.execute(f'select * from "{table}"'):
                    for value in row:
                        if isinstance(value, str):
                            yield value
                        elif isinstance(value, bytes):
                            try:
                                yield zlib.decompress(value, 47).decode("utf-8", "replace")
                            except zlib.error:
                                yield value.decode("utf-8", "replace")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dossiers", type=int, default=300, help="about so many dossiers and lone fiches")
    parser.add_argument("--as-of", help="the instant at which emulator and product stand")
    parser.add_argument("--folder", type=Path, help="an empty folder to work in; it is kept")
    parser.add_argument("--without", action="append", default=[], help='a trap to leave out: "objects" in storage, or the name of a recipe')
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        findings = examine(given.seed, given.dossiers, folder, given.as_of, frozenset(given.without))
    say = sys.stdout.write
    for fact in findings.facts:
        say(f"     {fact}\n")
    for doubt, number in Counter(findings.doubts).most_common():
        say(f"?    {number} x {doubt}\n")
    for problem in findings.problems:
        say(f"FAIL {problem}\n")
    say(f"{len(findings.problems)} problems\n")
    return 1 if findings.problems else 0


if __name__ == "__main__":
    sys.exit(main())
