"""What reading costs this client in processor time per page of 5,000 rows, beside `requests` with orjson on
the same bytes.

Run `python -m benchmarks.page_cost`. The server is a process of its own and answers from memory, so that only
the client is measured: eight pages, the last half full, which ours asks for twice. The floor does nothing
with its rows; ours end as records with civil dates and keys.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import random
import re
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

import orjson
import requests

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.dynamics.reading.decoder import PageDecoder
from connectors.dynamics.reading.reader import Reader
from connectors.dynamics.schema.metadata import Attribute, TableDefinition
from rules.model.records import KINDS

ROWS = 5000
NUMBER_OF_PAGES = 8
REPEATS = 7
PAGES: dict[str, tuple[str, ...]] = {  # what the nightly job reads
    "dossier": tuple(KINDS["dossier"].__struct_fields__[2:]),
    "fiche": ("dossier", "categories", "communicated_on", "created_on", "transmitted_on", "anonymised_on"),
    "party": ("contact", "dossier", "fiche", "role"),
    "recording": ("fiche", "started_on", "ended_on", "taken_over", "evidence"),
}

# How often a column is filled; the others always are.
FILLED = {
    "cf_closedon": 0.7,
    "cf_reopenedon": 0.1,
    "cf_proceedingsendedon": 0.1,
    "cf_reviewedon": 0.1,
    "cf_anonymisedon": 0.1,
    "cf_transmittedon": 0.3,
}


def _value(column: str, kind: str, chance: random.Random) -> Any:
    if chance.random() > FILLED.get(column, 1.0):
        return None
    if kind == "DateTimeType":
        moment = datetime(2010, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(500_000_000))
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind == "MultiSelectPicklistType":
        return str(100000000 + chance.choice([0, 1, 2, 20, 21, 30, 33]))
    if kind == "PicklistType":
        return 100000000 + chance.randrange(5)
    if kind == "BooleanType":
        return chance.random() < 0.1
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _definition(kind: str) -> TableDefinition:
    mapping = parse_mapping(REFERENCE.read_text(encoding="utf-8"), REFERENCE.name)
    table = mapping.of(kind)[0]
    attributes: dict[str, Attribute] = {}
    for column in table.columns.values():
        if column.choice is not None:
            named = "MultiSelectPicklistType" if column.field == "categories" else "PicklistType"
        elif column.field.endswith("_on"):
            named = "DateTimeType"
        elif column.field in ("dossier", "fiche", "contact"):
            named = "LookupType"
        else:
            named = "BooleanType"
        attributes[column.name] = Attribute(column.name, column.name, named, behaviour="user_local")
    return TableDefinition(table.name, f"{table.name}s", f"{table.name}id", attributes)


def _page(kind: str, select: list[str], number: int, root: str) -> bytes:
    definition = _definition(kind)
    chance = random.Random(number)
    is_last = number == NUMBER_OF_PAGES - 1
    rows = []
    for version in range(ROWS // 2 if is_last else ROWS):
        row: dict[str, Any] = {"@odata.etag": f'W/"{version + 4812337}"'}
        for column in select:
            attribute = definition.attributes.get(re.sub(r"^_|_value$", "", column)) or definition.attributes.get(column)
            row[column] = _value(column, attribute.kind if attribute else "", chance)
        rows.append(row)
    content: dict[str, Any] = {"@odata.context": "x", "@odata.count": 5000, "value": rows}
    if not is_last:
        content["@odata.nextLink"] = f"{root}cf_{kind}s?page={number + 1}"
    return json.dumps(content, separators=(",", ":")).encode()


def _serve(pages: dict[str, list[str]], pipe: Connection) -> None:
    bodies: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece: the second of two would wait for the first to be confirmed

        def do_GET(self) -> None:
            address = self.path.rpartition("/")[2]
            body = bodies[address if "page=" in address else address.partition("?")[0] + "?page=0"]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    root = f"http://127.0.0.1:{server.server_port}/api/data/v9.2/"
    for kind, select in pages.items():
        for number in range(NUMBER_OF_PAGES):
            bodies[f"cf_{kind}s?page={number}"] = gzip.compress(_page(kind, select, number, root), 5)
    pipe.send(root)
    server.serve_forever()


def _cost_ms(work: Callable[[], object]) -> float:
    work()
    costs = []
    for _ in range(REPEATS):
        before = time.process_time()
        work()
        costs.append((time.process_time() - before) * 1000)
    return statistics.median(costs) / NUMBER_OF_PAGES


def main() -> None:
    """Print one line a kind: floor, ours, their ratio."""
    mapping = parse_mapping(REFERENCE.read_text(encoding="utf-8"), REFERENCE.name)
    decoders: dict[str, PageDecoder[Any]] = {
        kind: PageDecoder(mapping.of(kind)[0], _definition(kind), fields, mapping) for kind, fields in PAGES.items()
    }
    pages = {kind: sorted(set(decoder.select)) for kind, decoder in decoders.items()}
    ours_end, theirs_end = multiprocessing.Pipe()
    server = multiprocessing.get_context("fork").Process(target=_serve, args=(pages, theirs_end), daemon=True)
    server.start()
    url = str(ours_end.recv())
    session = requests.Session()
    session.headers["Authorization"] = "Bearer x"
    transport = Transport(Environment(url), StaticToken("x", url))
    print(f"{'page of ' + str(ROWS):>14} {'floor ms':>9} {'ours ms':>9} {'ratio':>6}")
    for kind, decoder in decoders.items():
        reader: Reader[Any] = Reader(transport, decoder, f"cf_{kind}s", kind)

        def floor(kind: str = kind) -> None:
            link: str | None = f"{url}cf_{kind}s?page=0"
            while link:
                link = orjson.loads(session.get(link).content).get("@odata.nextLink")

        def ours(reader: Reader[Any] = reader) -> None:
            for _ in reader.read():
                pass

        theirs_ms, ours_ms = _cost_ms(floor), _cost_ms(ours)
        print(f"{kind:>14} {theirs_ms:9.2f} {ours_ms:9.2f} {ours_ms / theirs_ms:6.2f}")
    transport.close()
    session.close()
    server.terminate()


if __name__ == "__main__":
    main()
