"""How fast the emulator is on this machine: pages, batches of deletes, loading. Figures, no verdict.

python -m benchmarks.emulator [--rows 100000] [--dossiers 2000]
"""

import argparse
import random
import resource
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import requests

from connectors.emulator.serving.server import RunningEmulator, SeedSpec, running

SELECT = "cf_name,cf_communicatedon,cf_channel,cf_categories,_cf_dossierid_value,statecode,createdon,modifiedon"
PAGE = {"Prefer": "odata.maxpagesize=5000"}
ANNOTATED = {"Prefer": 'odata.maxpagesize=5000,odata.include-annotations="*"'}


def identifiers(number: int, seed: int) -> list[str]:
    source = random.Random(seed)
    return [str(uuid.UUID(int=source.getrandbits(128), version=4)) for _ in range(number)]


def organisation(dossiers: list[str], fiches: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of the usual size; nobody in them exists."""
    for number, row in enumerate(dossiers):
        yield (
            "cf_dossier",
            {"cf_dossierid": row, "cf_name": f"D-{number}", "cf_categories": "100000030", "createdon": "2020-01-01T00:00:00Z"},
        )
    for number, row in enumerate(fiches):
        yield (
            "cf_fiche",
            {
                "cf_ficheid": row,
                "cf_name": f"F-{number}",
                "cf_dossierid": dossiers[number % len(dossiers)],
                "cf_communicatedon": "2020-01-01T09:00:00Z",
                "cf_channel": 100000000,
                "cf_categories": "100000030",
                "cf_summary": "Verzonnen inhoud. " * 10,
                "createdon": "2020-01-01T10:00:00Z",
            },
        )


def timed(what: Callable[[], Any]) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started


def read_pages(http: requests.Session, url: str, headers: dict[str, str], pages: int) -> list[float]:
    """Seconds for each page, the client's reading of the bytes included, its parsing not."""
    seconds: list[float] = []
    link: str | None = url
    while link and len(seconds) < pages:
        started = time.perf_counter()
        answer = http.get(link, headers=headers, timeout=60)
        body = answer.content
        seconds.append(time.perf_counter() - started)
        start = body.rfind(b',"@odata.nextLink":"')
        link = body[start + 20 : -2].decode() if start > 0 else None
    return seconds


def measure(emulator: RunningEmulator, rows: int) -> None:
    dossiers, fiches = identifiers(max(rows // 4, 1000), 1), identifiers(rows - rows // 4, 2)
    seconds = timed(lambda: emulator.load(organisation(dossiers, fiches)))
    print(f"load            {rows / seconds:12,.0f} rows/s   {rows:,} rows in {seconds:.2f} s")
    http = requests.Session()
    http.headers["Authorization"] = "Bearer benchmark"
    for name, headers, encoding in (
        ("page, gzip", PAGE, "gzip"),
        ("page, plain", PAGE, "identity"),
        ("page, annotated", ANNOTATED, "gzip"),
    ):
        http.headers["Accept-Encoding"] = encoding
        pages = read_pages(http, f"{emulator.url}cf_fiches?$select={SELECT}", headers, 20)[1:]
        if pages:
            best, mean = min(pages), sum(pages) / len(pages)
            print(f"{name:16}{5000 / mean:12,.0f} rows/s   {mean * 1000:.1f} ms a page of 5,000, best {best * 1000:.1f} ms")
    part = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    part += "DELETE /api/data/v9.2/cf_dossiers({}) HTTP/1.1\r\nIf-Match: *\r\n\r\n"
    body = "".join(part.format(row) for row in dossiers[:1000]) + "--b--\r\n"
    content_type = {"Content-Type": "multipart/mixed; boundary=b"}
    seconds = timed(lambda: http.post(emulator.url + "$batch", data=body, headers=content_type, timeout=60))
    print(f"batch of deletes{1000 / seconds:12,.0f} rows/s   1,000 deletes in {seconds:.2f} s")
    singles = fiches[:500]
    seconds = timed(lambda: [http.delete(f"{emulator.url}cf_fiches({row})", timeout=60) for row in singles])
    print(f"single deletes  {len(singles) / seconds:12,.0f} rows/s")


def seeded(dossiers: int) -> None:
    spec = SeedSpec(dossiers=dossiers, seed=1, as_of=date(2026, 3, 15))
    rows = list(spec.rows())
    with running() as emulator:
        seconds = timed(lambda: emulator.load(rows))
    making = timed(lambda: sum(1 for _ in spec.rows()))
    pace = f"{len(rows) / (seconds + making):12,.0f} rows/s"
    print(f"seed            {pace}   {dossiers:,} dossiers: {len(rows):,} rows made in {making:.2f} s, loaded in {seconds:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dossiers", type=int, default=2_000)
    arguments = parser.parse_args()
    seeded(arguments.dossiers)
    with running() as emulator:
        measure(emulator, arguments.rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak memory     {peak / (1024**2 if sys.platform == 'darwin' else 1024):12,.0f} MB")


if __name__ == "__main__":
    main()
