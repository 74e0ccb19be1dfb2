"""Client CPU of a full plan against the floor: downloading and decoding the same pages with requests and
orjson.

Both run in one go against one emulator in a process of its own, in turns, so that the machine's moods hit
both. CPU time (user and system) of the client process alone is compared, because the emulator takes most of
the wall clock.

    python -m benchmarks.plan [--dossiers 80000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crm_compliance.configuration.settings import environment_of

FLOOR = """
import json, resource, sys, time
import orjson, requests

url, pages = sys.argv[1], json.loads(sys.stdin.read())
session = requests.Session()
session.headers.update({"Authorization": "Bearer bench", "OData-Version": "4.0", "OData-MaxVersion": "4.0", "Accept": "application/json"})
session.get(url + "WhoAmI").raise_for_status()
before, rows, began = time.process_time(), 0, time.perf_counter()
for path, prefer in pages:
    link = url + path
    while link:
        answer = session.get(link, headers={"Prefer": prefer})
        document = orjson.loads(answer.content)
        rows += len(document["value"])
        link = document.get("@odata.nextLink")
print(json.dumps({"cpu": time.process_time() - before, "wall": time.perf_counter() - began, "rows": rows,
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""

PLAN = """
import gc, json, resource, sys, time
from pathlib import Path

from crm_compliance.__main__ import GARBAGE_AFTER, tell_libraries
tell_libraries()
gc.set_threshold(GARBAGE_AFTER)  # as every command has it
from crm_compliance.configuration.settings import load_settings
from crm_compliance.wiring.desk import desk
from jobs.model.plan import Kind
from jobs.plans.make import make_plan

with desk(load_settings()) as opened:
    import polars  # loading it is starting up; the floor has loaded its libraries too when it is measured
    before, began = time.process_time(), time.perf_counter()
    plan = make_plan(opened.context, Kind.ALL)
    stats = opened.context.connector.stats
    print(json.dumps({"cpu": time.process_time() - before, "wall": time.perf_counter() - began, "rows": stats.rows,
                      "pages": stats.pages, "remembered": stats.remembered, "units": plan.units,
                      "due": sum(plan.dispose.values()), "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dossiers", type=int, default=80_000, help="80,000 dossiers are about 200,000 fiches and a million rows")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with emulator(given.dossiers) as url, tempfile.TemporaryDirectory() as folder:
        settings = {"CRM_URL": url, "CRM_TOKEN": "bench"}
        # Each has a data folder of its own: where nothing is to be remembered, what had been is removed.
        full = environment_of(settings | {"DATA_DIR": f"{folder}/full", "INCREMENTAL_READS": "false"})
        by_changes = environment_of(settings | {"DATA_DIR": f"{folder}/by-changes"})
        pages = json.dumps(requested(url))
        told("first plan that remembers what it reads", measured([PLAN], by_changes, ""))
        ratios: dict[str, list[float]] = {"full read": [], "by changes": []}
        for number in range(1, given.rounds + 1):
            floor = measured([FLOOR, url], full, pages)
            print(f"round {number}: floor {floor['cpu']:.2f} s CPU for {floor['rows']:,.0f} rows ({floor['wall']:.1f} s)")
            for name, environment in (("full read", full), ("by changes", by_changes)):
                plan = measured([PLAN], environment, "")
                ratios[name].append(plan["cpu"] / floor["cpu"])
                told(f"  {name}, ratio {ratios[name][-1]:.2f}", plan)
        for name, found in ratios.items():
            print(f"median ratio of client CPU, plan / floor, {name}: {statistics.median(found):.2f}")


def told(what: str, plan: dict[str, float]) -> None:
    rows = f"{plan['rows']:,.0f} rows fetched, {plan['remembered']:,.0f} remembered, {plan['units']:,.0f} units"
    print(f"{what}: {plan['cpu']:.2f} s CPU, {plan['wall']:.1f} s, {rows}, peak {plan['peak_mb']:.0f} MB", flush=True)


def requested(url: str) -> list[tuple[str, str]]:
    """The first request of each full read that a plan makes, as (path and query, Prefer), taken from the
    connector itself."""
    from connectors.dynamics.http.answers import Answer
    from connectors.dynamics.http.auth import StaticToken
    from crm_compliance.configuration.settings import Settings
    from crm_compliance.wiring.mapping import mapping_text
    from jobs.reading import few_rows
    from rules.model import records
    from tests.drivers.connecting import connect

    text, source = mapping_text(Settings())
    reads: tuple[tuple[type[records.Record], tuple[str, ...]], ...] = (
        (records.Contact, few_rows.CONTACT_FIELDS),
        (records.Dossier, few_rows.DOSSIER_FIELDS),
        (records.Fiche, few_rows.FICHE_FIELDS),
        (records.Party, few_rows.PARTY_FIELDS),
        (records.Recording, few_rows.RECORDING_FIELDS),
        (records.Note, few_rows.NOTE_FIELDS),
        (records.Call, few_rows.ACTIVITY_FIELDS),
        (records.Email, few_rows.EMAIL_FIELDS),
        (records.ActivityParty, few_rows.ACTIVITY_PARTY_FIELDS),
        (records.Donation, ("contact",)),
        (records.Enrolment, ("contact",)),
        (records.Engagement, ("contact", "ended_on")),
    )
    with connect(url=url, tokens=StaticToken("bench", url), mapping_text=text, mapping_source=source) as connector:
        asked: list[tuple[str, str]] = []
        inner = connector._transport.get

        def get(address: str, *, prefer: str = "", **more: Any) -> Answer:
            if prefer:
                asked.append((address, prefer))
            return inner(address, prefer=prefer, **more)

        connector._transport.get = get  # type: ignore[method-assign]
        first = []
        for record, fields in reads:
            asked.clear()
            next(connector.read(record, fields), None)
            first.append(asked[0])
        return first


def measured(arguments: list[str], environment: dict[str, str], stdin: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", *arguments], env=environment, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


@contextmanager
def emulator(dossiers: int) -> Iterator[str]:
    command = [sys.executable, "-m", "crm_compliance", "emulator", "serve", "--port", "0", "--dossiers", str(dossiers), "--limits", "off"]
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment_of({}), stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline() if server.stdout is not None else ""
            print(f"emulator with {dossiers:,} dossiers ready after {time.perf_counter() - began:.1f} s", flush=True)
            yield line.split()[-1]
        finally:
            server.terminate()
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest child process: {max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024):.0f} MB")


if __name__ == "__main__":
    main()
