"""How long the pages of the console take, as shares of 200 ms, on a store as a large organisation has it
after years: a million lines in each of the last two plans, ten thousand runs, two thousand requests, two
thousand holds.

1. Each page alone: time in the server, the median and the slowest of some rounds, and of how much of it a
   processor worked: the rest was waited, for the disk or for a machine that does other things too.
2. All pages by fifty readers at once who never pause, while a night goes on in the same store: the same, and
   how many answers were errors. Each waits for the others then, whatever a page takes.
3. The same by fifty readers who look at each page for a few seconds, as people do.

The night is the real one: `crm-compliance run` of each job, one after the other and then again, against the
emulator. Exports and pages that read the CRM are left aside. The server, the emulator, the night and the
readers are processes of their own, so that the readers' work is not counted.

    python -m benchmarks.console [--lines 1000000] [--runs 10000] [--requests 2000] [--readers 50]
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import msgspec
import requests

from benchmarks.large_store import CRM, LARGE, PORT, Moved, fill
from crm_compliance.configuration.settings import load_settings
from crm_compliance.console.app import INSIDE
from crm_compliance.identity.demo_people import DEMO_PEOPLE
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.store import store_of
from jobs.registry import JOBS
from rules.model.roles import Role

GOAL_MS: Final = 200.0
DOSSIERS: Final = 400
TOKEN: Final = "bench"
COMMAND: Final = str(Path(sys.executable).parent / "crm-compliance")
# Exports, files, the stream of a run's progress, and pages that read the CRM or have parameters of their own.
ASIDE: Final = (".csv", ".xlsx", ".ics", "/why/", "/open", "/units/", "/review", "/preview", "/message", "/archive", "/work", "/progress")
TIME: Final = "X-Server-Ms"
WORKED: Final = "X-Server-Worked-Ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=30, help="for which the readers read")
    parser.add_argument("--pause", type=float, default=4.0, help="seconds for which a reader looks at a page")
    parser.add_argument("--keep", type=Path, help="a folder for the store, which is used again if it is filled")
    parser.add_argument("--holds", type=int, default=2_000)
    parser.add_argument("--part", choices=("serve", "night"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part == "serve":
        serve()
    elif asked.part == "night":
        nights()
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure(asked, asked.keep or Path(folder))


def measure(asked: argparse.Namespace, folder: Path) -> None:
    """Fill the store, and print the two tables."""
    os.environ |= {"CRM_COMPLIANCE_DATA_DIR": str(folder), "CRM_COMPLIANCE_CRM_URL": CRM, "CRM_COMPLIANCE_CRM_TOKEN": TOKEN}
    settings = load_settings()
    began = time.perf_counter()
    clock = Moved()
    with store_of(settings, clock) as store:
        if not any(True for _ in store.plans.newest()):
            fill(store, clock, asked)
        last = next(store.plans.newest(is_applied=True))
        run = store.runs.of_plan(last.id)
        assert run is not None
        large = next(plan for plan in store.plans.newest() if plan.id.startswith(LARGE))
        names = {"plan": large.id, "run": run.id, "request": store.requests.all()[0].id}
    print(f"the store is filled: {time.perf_counter() - began:.0f} s")
    with part("serve") as server:
        assert server.stdout is not None
        root = server.stdout.readline().strip()
        session = signed_in(root)
        pages = addresses(names)
        for page in pages:  # what is read once is read
            while '/opening"' in session.get(root + page, timeout=300).text:
                time.sleep(0.5)  # a large plan is opened beside
        print("\n| page, alone | median, ms | slowest, ms | processor, ms | of 200 ms |\n|---|---:|---:|---:|---:|")
        for page in pages:
            answers = [timed(session, root, page) for _ in range(asked.rounds)]
            times = sorted(answer.ms for answer in answers)
            middle, worked = statistics.median(times), statistics.median(answer.worked_ms for answer in answers)
            print(f"| `{shown(page, names)}` | {middle:.0f} | {times[-1]:.0f} | {worked:.0f} | {middle / GOAL_MS:.2f} |")
        with part("night") as night:
            assert night.stdout is not None
            night.stdout.readline()  # the CRM answers
            together(session, root, pages, names, asked, pause_s=0)
            together(session, root, pages, names, asked, pause_s=asked.pause)


def together(
    session: requests.Session, root: str, pages: list[str], names: Mapping[str, str], asked: argparse.Namespace, *, pause_s: float
) -> None:
    """Let all readers read for a while, each the pages in an order of its own, and look at each for as long
    as `pause_s` on average."""
    found: dict[str, list[float]] = {page: [] for page in pages}
    wrong: dict[str, int] = dict.fromkeys(pages, 0)
    end = time.monotonic() + asked.seconds

    def read(number: int) -> None:
        random, mine = Random(number), requests.Session()
        mine.cookies.update(session.cookies)
        while time.monotonic() < end:
            time.sleep(random.uniform(0, 2 * pause_s))
            page = random.choice(pages)
            try:
                answer = timed(mine, root, page)
            except requests.ConnectionError:
                wrong[page] += 1
                continue
            found[page].append(answer.ms)
            wrong[page] += answer.status != 200

    readers = [threading.Thread(target=read, args=(number,)) for number in range(asked.readers)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    looking = f"{pause_s:g} s a page" if pause_s else "without a pause"
    print(f"\n| page, {asked.readers} readers {looking}, nights go on | answers | median, ms | 95 of 100, ms | errors |")
    print("|---|---:|---:|---:|---:|")
    for page, times in found.items():
        times.sort()
        late = times[min(len(times) - 1, int(len(times) * 0.95))] if times else 0.0
        middle = statistics.median(times) if times else 0.0
        print(f"| `{shown(page, names)}` | {len(times)} | {middle:.0f} | {late:.0f} | {wrong[page]} |")
    answers = sum(map(len, found.values()))
    print(f"\n{answers} answers in {asked.seconds} s, {answers / asked.seconds:.0f} a second, errors: {sum(wrong.values())}")


class Timed(NamedTuple):
    """One answer: how long the server took, and how long its process worked meanwhile, for whomever."""

    status: int
    ms: float
    worked_ms: float


def timed(session: requests.Session, root: str, page: str) -> Timed:
    answer = session.get(root + page, timeout=300, allow_redirects=False)
    return Timed(answer.status_code, float(answer.headers[TIME]), float(answer.headers[WORKED]))


def addresses(names: Mapping[str, str]) -> list[str]:
    """Return the addresses of all pages, with ids of the store, and of lists with filters."""
    paths = [each.path for each in INSIDE if each.method == "GET" and not any(part in each.path for part in ASIDE)]
    known = [path.format(**names) for path in paths if set(re.findall(r"{(\w+)", path)) <= names.keys()]
    plan = names["plan"]
    more = (
        "/history?kind=retention&state=done_with_failures&from=2020-01-01",
        "/history?page=150",
        "/history/audit?from=2026-01-01&to=2026-11-01",
        f"/plans/{plan}/lines?reason=OPEN_DOSSIER&sort=retention_end",
        f"/plans/{plan}/lines?offset={500_000}",
    )
    return [*(path for path in known if path != f"/plans/{plan}"), f"/plans/{plan}", *more]


def shown(page: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        page = page.replace(value, f"{{{name}}}")
    return page


def signed_in(root: str) -> requests.Session:
    """Sign in as the DPO, who may see most."""
    session = requests.Session()
    who = next(person.who for person in DEMO_PEOPLE if person.role is Role.DPO)
    session.post(f"{root}/signin", data={"who": who}, headers={"Sec-Fetch-Site": "same-origin"}, allow_redirects=False).raise_for_status()
    return session


@contextmanager
def part(name: str) -> Iterator[subprocess.Popen[str]]:
    """Run a part of this file as a process of its own, and end it with the block."""
    with running([sys.executable, "-m", "benchmarks.console", "--part", name]) as process:
        yield process


@contextmanager
def running(command: list[str], stderr: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a process, and end it with the block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)


def serve() -> None:
    """Serve the console over the store of the settings, and say in each answer how long it took."""
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from crm_compliance.console.access.sessions import Sessions
    from crm_compliance.console.app import routes
    from crm_compliance.console.frame.services import Services
    from crm_compliance.service.web.app import app_of
    from crm_compliance.service.web.downloads import Downloads
    from crm_compliance.service.web.server import address_of, fitted, listening, server_of

    settings = load_settings()
    clock = clock_of(settings)
    store = store_of(settings, clock)
    services = Services(settings, store, clock, Sessions(store.sessions, timedelta(hours=1), timedelta(hours=10)))
    app: ASGIApp = app_of(Downloads(store, clock), console=routes(services))

    async def timing(scope: Scope, receive: Receive, send: Send) -> None:
        began, worked = time.perf_counter(), time.process_time()

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                for name, since in ((TIME, time.perf_counter() - began), (WORKED, time.process_time() - worked)):
                    message["headers"].append((name.lower().encode(), f"{since * 1000:.1f}".encode()))
            await send(message)

        await app(scope, receive, told)

    with listening(0) as listener:
        server = server_of(timing, ready=lambda: print(address_of(listener), flush=True), connection=fitted())
        server.run(sockets=[listener])


def nights() -> None:
    """Let nights go on one after the other until the end, each job as the command carries it out, and say how
    each ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    emulator = [COMMAND, "emulator", "serve", "--port", str(PORT), "--dossiers", str(DOSSIERS), "--limits", "off"]
    with running([*emulator, "--token", TOKEN]) as crm:
        assert crm.stdout is not None
        print(crm.stdout.readline().strip(), flush=True)
        for job in cycle(JOBS):
            began = time.perf_counter()
            with running([COMMAND, "run", job, "--json"], stderr=subprocess.PIPE) as night:
                said = night.communicate()[1]
            print(f"{job}: exit {night.returncode}, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
            if night.returncode == 5:  # it waits for two people; the next night carries it out
                plan = msgspec.json.decode(said)["error"]["where"]
                for person in DEMO_PEOPLE:
                    if person.role in (Role.CRM_ADMIN, Role.DPO):
                        word = [COMMAND, "plans", "approve", plan, "--as", person.who, "--role", person.role.value]
                        subprocess.run(word, stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()
