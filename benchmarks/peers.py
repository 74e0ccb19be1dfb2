"""What others need to read the same pages: Microsoft's Python client, dlt's REST client, DynamicsWebApi, each
beside `requests` with orjson, in turns, over TLS, from a server that answers from memory.

The first and the last are there for the tests. dlt is installed by name into an environment of its own that
is thrown away afterwards. What cannot be installed is not measured, and told so.

    python -m benchmarks.peers [--dossiers 20000] [--rounds 3]
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from benchmarks.plan import FLOOR, emulator, requested
from benchmarks.replay import replay
from crm_compliance.configuration.settings import environment_of

FLOOR_NAME = "floor: requests and orjson"
NODE = Path(__file__).parents[1] / "tests/integration/clients/node"
Pages = list[tuple[str, str]]

MICROSOFT = """
import json, resource, sys, time
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient

class Credential:
    def get_token(self, *scopes, **options):
        return AccessToken("bench", int(time.time()) + 3600)

root, tables = sys.argv[1].partition("/api/")[0], json.loads(sys.stdin.read())
with DataverseClient(root, Credential()) as client:
    client.records.list(tables[0]["table"], top=1)
    before, rows = time.process_time(), 0
    for table in tables:
        for page in client.records.list_pages(table["table"], select=table["select"], page_size=5000, count=True,
                                              include_annotations=table["annotations"] or None):
            rows += len(page)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": time.process_time() - before, "rows": rows, "peak_mb": peak}))
"""
DLT = """
import json, resource, sys, time
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator

tables = json.loads(sys.stdin.read())
client = RESTClient(base_url=sys.argv[1], headers={"Authorization": "Bearer bench", "Accept": "application/json"})
client.get("WhoAmI").raise_for_status()
before, rows = time.process_time(), 0
for table in tables:
    asked = {"$select": ",".join(table["select"]), "$count": "true"}
    link = JSONLinkPaginator(next_url_path="'@odata.nextLink'")
    for page in client.paginate(table["set"], params=asked, headers={"Prefer": table["prefer"]}, paginator=link, data_selector="value"):
        rows += len(page)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"cpu": time.process_time() - before, "rows": rows, "peak_mb": peak}))
"""
DYNAMICS_WEB_API = """
import { readFileSync } from "node:fs";
import { DynamicsWebApi } from "dynamics-web-api";

const [root] = process.argv.slice(2), tables = JSON.parse(readFileSync(0, "utf8"));
const dataApi = { version: root.match(/v(\\d+\\.\\d+)\\/$/)[1] };
const api = new DynamicsWebApi({ serverUrl: new URL(root).origin, dataApi, onTokenRefresh: async () => "bench" });
await api.callFunction({ name: "WhoAmI" });
const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
const before = used();
let rows = 0;
for (const { set, select, annotations } of tables) {
  const asked = { collection: set, select, count: true, maxPageSize: 5000, ...(annotations ? { includeAnnotations: annotations } : {}) };
  let page = await api.retrieveMultiple(asked);
  rows += page.value.length;
  while (page.oDataNextLink) {
    page = await api.retrieveMultiple(asked, page.oDataNextLink);
    rows += page.value.length;
  }
}
console.log(JSON.stringify({ cpu: used() - before, rows, peak_mb: process.resourceUsage().maxRSS / 1024 }));
"""


@dataclass(frozen=True)
class Peer:
    """A client to measure: its command, which gets the address as its last word and the tables on its
    input; None where it is not there."""

    name: str
    command: list[str] | None
    folder: Path | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dossiers", type=int, default=20_000, help="80,000 are a million rows")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with emulator(given.dossiers) as url:
        found = compared(url, given.rounds)
    floor = found[FLOOR_NAME]
    assert floor is not None
    for name, each in found.items():
        told = (
            f"{each['cpu']:.2f} s CPU, {each['cpu'] / floor['cpu']:.2f} times the floor, peak {each['peak_mb']:.0f} MB"
            if each
            else "not measured"
        )
        print(f"{name}: {told}")


def compared(url: str, rounds: int) -> dict[str, dict[str, float] | None]:
    """Return what each client takes to read the pages of a full plan, the median of the rounds; None: it
    could not be installed, or did not read all rows."""
    with tempfile.TemporaryDirectory() as name, peers(Path(name)) as others:
        authority = Path(name, "CA.pem")
        with replay(url, authority) as server:
            pages = requested(url)
            tables = json.dumps(_tables(url, pages))
            trusted = environment_of({}) | {
                "REQUESTS_CA_BUNDLE": str(authority),
                "SSL_CERT_FILE": str(authority),
                "NODE_EXTRA_CA_CERTS": str(authority),
            }
            every = (Peer(FLOOR_NAME, [sys.executable, "-c", FLOOR]), *others)
            runs: dict[str, list[dict[str, float] | None]] = {peer.name: [] for peer in every}
            for number in range(rounds + 1):  # the first has the answers remembered
                for peer in every:
                    found = _run(peer, server.url, json.dumps(pages) if peer.name == FLOOR_NAME else tables, trusted)
                    if number:
                        runs[peer.name].append(found)
    rows = {each["rows"] for each in runs[FLOOR_NAME] if each}
    return {name: _median(found) if all(each and each["rows"] in rows for each in found) else None for name, found in runs.items()}


def _median(found: list[dict[str, float] | None]) -> dict[str, float]:
    there = [each for each in found if each]
    return {name: statistics.median(each[name] for each in there) for name in ("cpu", "rows", "peak_mb")}


@contextmanager
def peers(folder: Path) -> Iterator[list[Peer]]:
    """Yield the clients, those that have to be installed for it below a folder."""
    dlt, script = _dlt(folder / "dlt"), NODE / "bench.mjs"
    is_there = shutil.which("node") is not None and (NODE / "node_modules/dynamics-web-api").is_dir()
    if is_there:
        script.write_text(DYNAMICS_WEB_API, encoding="utf-8")  # a module is looked for beside who imports it
    try:
        yield [
            Peer("Microsoft's Python client (PowerPlatform-Dataverse-Client)", [sys.executable, "-c", MICROSOFT]),
            Peer("dlt, its REST client alone", [str(dlt), "-c", DLT] if dlt is not None else None),
            Peer("DynamicsWebApi on Node", ["node", str(script)] if is_there else None),
        ]
    finally:
        script.unlink(missing_ok=True)


def _dlt(folder: Path) -> Path | None:
    """Install dlt into an environment of its own, and return its Python."""
    python = folder / "bin" / "python"
    made = subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True, check=False)
    if made.returncode == 0:
        made = subprocess.run([str(python), "-m", "pip", "install", "-q", "dlt"], capture_output=True, check=False)
    return python if made.returncode == 0 else None


def _run(peer: Peer, url: str, asked: str, environment: Mapping[str, str]) -> dict[str, float] | None:
    if peer.command is None:
        return None
    done = subprocess.run([*peer.command, url], env=dict(environment), input=asked, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{peer.name}: {(done.stderr.strip().splitlines() or ['no answer'])[-1]}", file=sys.stderr)
        return None
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _tables(url: str, pages: Pages) -> list[dict[str, object]]:
    """Return what the pages are of, as other clients want to be told."""
    definitions = requests.get(
        f"{url}EntityDefinitions?$select=LogicalName,EntitySetName", headers={"Authorization": "Bearer bench"}, timeout=60
    )
    names = {each["EntitySetName"]: each["LogicalName"] for each in definitions.json()["value"]}
    found: list[dict[str, object]] = []
    for path, prefer in pages:
        asked = urlsplit(path)
        annotations = prefer.partition('include-annotations="')[2].rstrip('"')
        select = parse_qs(asked.query)["$select"][0].split(",")
        found.append({"set": asked.path, "table": names[asked.path], "select": select, "prefer": prefer, "annotations": annotations})
    return found


if __name__ == "__main__":
    main()
