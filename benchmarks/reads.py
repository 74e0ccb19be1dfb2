"""A full plan of a CRM that takes its time for each answer: one page after the other, and several at once.

Between client and emulator stands a server that remembers what the emulator has answered and gives the same
bytes again, each after a delay, so that the emulator's own slowness plays no part. Every variant plans three
times without a delay: to find where tables are cut, to have the answers remembered, and once from the same
point with the delay. The first night is a plan with nothing found yet.

    python -m benchmarks.reads [--dossiers 20000] [--delay 1.0] [--at-once 8 16]
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

import urllib3

from benchmarks.plan import PLAN, emulator, measured
from crm_compliance.settings import environment_of

_AT_ONCE = ("EntityDefinitions", "WhoAmI", "RetrieveCurrentOrganization")  # what is no look at rows
_KEPT = ("content-type", "content-encoding", "odata-version")


def _remember(pipe: Connection, url: str) -> None:
    """Serve what is at `url`, each answer from memory once it was given; who writes a number into the pipe
    sets the delay."""
    answers: dict[tuple[str, str, str], tuple[int, dict[str, str], bytes]] = {}
    pool = urllib3.PoolManager(maxsize=64)
    origin, delay, alone = url[: url.index("/api/")], [0.0], threading.Lock()

    class Remembering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            key = (self.path, self.headers.get("Prefer", ""), self.headers.get("Accept-Encoding", ""))
            if delay[0] and not any(name in self.path for name in _AT_ONCE):
                time.sleep(delay[0])
            if key not in answers:
                with alone:
                    answer = pool.request("GET", origin + self.path, headers=asked, decode_content=False)
                kept = {name: value for name, value in answer.headers.items() if name.lower() in _KEPT}
                answers[key] = answer.status, kept, answer.data
            status, headers, body = answers[key]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep silent."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Remembering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(f"http://127.0.0.1:{server.server_port}{urlsplit(url).path}")
    while (told := pipe.recv()) is not None:
        delay[0] = told
        pipe.send(None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dossiers", type=int, default=20_000, help="20,000 dossiers are 62 pages, 80,000 are 236")
    parser.add_argument("--delay", type=float, default=1.0, help="seconds that each answer takes")
    parser.add_argument("--at-once", type=int, nargs="+", default=[8, 16])
    given = parser.parse_args()
    with emulator(given.dossiers) as url, tempfile.TemporaryDirectory() as folder:
        ours, theirs = multiprocessing.Pipe()
        server = multiprocessing.get_context("spawn").Process(target=_remember, args=(theirs, url), daemon=True)
        server.start()
        address = ours.recv()

        def plan(name: str, at_once: int, delay: float) -> dict[str, float]:
            ours.send(delay)
            ours.recv()
            settings = {"CRM_URL": address, "CRM_TOKEN": "bench", "INCREMENTAL_READS": "false", "DATA_DIR": f"{folder}/{name}"}
            return measured([PLAN], environment_of(settings | {"CRM_READS": str(at_once)}), "")

        def timed(name: str, at_once: int) -> dict[str, float]:
            before = Path(folder, f"{name}-before")
            if Path(folder, name).exists():
                shutil.copytree(Path(folder, name), before)
            plan(name, at_once, 0.0)
            shutil.rmtree(Path(folder, name))
            if before.exists():
                shutil.copytree(before, Path(folder, name))
            return plan(name, at_once, given.delay)

        one = timed("one", 1)
        told("one page after the other", one, one)
        told(f"first night, {max(given.at_once)} at once", timed("first", max(given.at_once)), one)
        for at_once in given.at_once:
            plan(f"cut-{at_once}", at_once, 0.0)
            told(f"in ranges, {at_once} at once", timed(f"cut-{at_once}", at_once), one)
        ours.send(None)


def told(what: str, plan: dict[str, float], one: dict[str, float]) -> None:
    assert (plan["units"], plan["due"]) == (one["units"], one["due"]), "the plans differ"
    ratios = f"{one['wall'] / plan['wall']:.1f} times as fast, {plan['cpu'] / one['cpu']:.2f} of the CPU"
    print(f"{what}: {plan['wall']:.1f} s, {plan['cpu']:.2f} s CPU, peak {plan['peak_mb']:.0f} MB; {ratios}", flush=True)


if __name__ == "__main__":
    main()
