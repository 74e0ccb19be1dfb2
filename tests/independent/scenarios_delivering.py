"""How an answer is delivered: files, links, the thirty days, safe channels (IDV-05, EXP-16, EXP-17)."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import requests

from tests.independent.asking import APPROVER, DPO, Asking, Package, unpacked
from tests.independent.case import Case
from tests.independent.emulator import ROOT, command
from tests.independent.scenarios import scenario
from tests.independent.scenarios_permitting import approved


@scenario("R-157 IDV-05: somebody flagged no-contact gets nothing without the word of two people")
def no_contact(case: Case) -> None:
    asking = Asking(case)
    person = asking.person(cf_nocontact=True)
    case.party(person.row, "witness", dossier=case.dossier("runaway", child=case.child()))
    request = asking.ready(person.given(), [person.row])
    asking.review(request)
    asking.approve(request)
    asking.held_back(request)
    case.ask("requests", "override", request, "--rule", "IDV-05", "--reason", "SAFE_CHANNEL", *DPO)
    asking.held_back(request)
    spoken = case.type(
        "requests", "override", request, "--rule", "IDV-05", "--reason", "SAFE_CHANNEL", "--as", "dora", "--role", "approver", "--json"
    )
    case.expect(spoken.code in (0, 5), f"the same person twice exits {spoken.code}")
    asking.held_back(request)
    case.ask("requests", "override", request, "--rule", "IDV-05", "--reason", "SAFE_CHANNEL", *APPROVER)
    if asking.show(request)["state"] != "approved":
        asking.compile(request)
        asking.review(request)
        asking.approve(request)
    asking.release(request)


@scenario("IDV-05: where somebody flagged no-contact is does not reach others")
def whereabouts(case: Case) -> None:
    asking = Asking(case)
    child, mother = asking.person("2016-05-05", cf_nocontact=True), asking.person("1979-03-03")
    case.party(mother.row, "parent", dossier=case.dossier("e_safety", child=child.row))
    request = asking.open(mother.given(), requester_kind="parent_for_child", on_behalf_of=child.given(emails=[]))
    asking.identify(request, mandate="shown")
    asking.confirm(request, [mother.row, child.row])
    if asking.compile(request).get("answer") != "package":
        return
    asking.review(request)
    asking.approve(request)
    spoken = case.type(*(args := asking.release_args(request)), "--json")
    if spoken.code == 5:
        return

    package = Package(unpacked(Path(str(args[-3])), Path(str(args[-1]))))
    hidden = [w for w in asking.words_of(child.row) if w not in (child.firstname, child.lastname)]
    asking.silent(package, [*hidden, child.phone], "address and numbers of the child")


@scenario("R-157 RGT-07: a no-contact flag that is set after the approval holds the answer back")
def flagged_since(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    case.party(person.row, "witness", dossier=case.dossier("runaway", child=case.child()))
    request = asking.ready(person.given(), [person.row])
    asking.review(request)
    asking.approve(request)
    case.change("contact", person.row, cf_nocontact=True)
    asking.held_back(request)


@scenario("IDV-05: an address that changed in the last thirty days is not delivered to without a new check")
def changed_address(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    case.party(person.row, "witness", dossier=case.dossier("runaway", child=case.child()))
    case.load()
    new = f"{asking.name(person.row)}@example.org"
    case.clock("2026-11-26T09:00:00Z")
    case.change("contact", person.row, emailaddress1=new)
    case.clock("2026-11-30T09:00:00Z")
    request = asking.ready(person.given(emails=[new]), [person.row], received_at="2026-11-30T08:00:00Z")
    asking.review(request)
    asking.approve(request)
    asking.held_back(request)


@scenario("R-121 7.1: a transmission outside the EEA without a basis blocks the release")
def transfer(case: Case) -> None:
    asking = Asking(case)
    for country, basis, blocked in (("US", None, True), ("US", "Art. 49(1)(f) AVG (fictief)", False), ("FR", None, False)):
        child = asking.person("1995-03-03")
        dossier = case.dossier("runaway", child=child.row)
        sent = {"cf_transmittedto": f"Dienst in {country} (fictief)", "cf_transmittedon": "2026-02-02", "cf_transmittedcountry": country}
        case.fiche("runaway", "2026-02-01", dossier, **sent, cf_transferbasis=basis)
        request = asking.open(child.given(), requester_kind="former_child")
        asking.identify(request)
        asking.confirm(request, [child.row])
        asking.compile(request)
        asking.review(request)
        spoken = case.type("requests", "approve", request, *DPO, "--json")
        case.expect(
            spoken.code == 0 or (blocked and spoken.code == 5), f"{country} {basis}: approve exits {spoken.code}: {spoken.err[-200:]}"
        )
        if blocked:
            error = asking.held_back(request)
            told = json.dumps(error) + spoken.err + json.dumps(asking.show(request))
            case.expect("TRANSFER_BASIS_MISSING" in told, f"no TRANSFER_BASIS_MISSING: {error}")
        else:
            asking.release(request)


def files_of(case: Case) -> dict[str, bytes]:
    return {
        str(p.relative_to(case.data)): p.read_bytes() for p in case.data.rglob("*") if p.is_file() and not p.name.startswith("state.db")
    }


def sealed_parts(case: Case, request: str) -> set[tuple[object, ...]]:
    """Which rows of the store, in any table with a column of bytes, belong to the request: all but their
    bytes. They may all be of one size."""
    found: set[tuple[object, ...]] = set()
    with closing(case.database()) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            columns = {name: kind for _, name, kind, *_ in database.execute(f'pragma table_info("{table}")')}
            plain = [f'"{name}"' for name, kind in columns.items() if "BLOB" not in kind.upper()]
            if "request" in columns and len(plain) < len(columns):
                found |= {
                    (table, *row) for row in database.execute(f'select {", ".join(plain)} from "{table}" where request = ?', (request,))
                }
    return found


@scenario("R-125 EXP-17: the package is there on the thirtieth day after delivery and gone on the next")
def thirty_days(case: Case) -> None:
    case.clock("2026-05-04T09:00:00Z")
    asking = Asking(case)
    person = asking.person()
    case.party(person.row, "witness", dossier=case.dossier("runaway", child=case.child()))
    request = asking.ready(person.given(), [person.row], received_at="2026-05-04T08:00:00Z")
    plain = asking.beside / "plain"
    asking.compile(request, plain_folder=plain)
    asking.review(request)
    asking.approve(request)
    before = sealed_parts(case, request)
    package = asking.release(request)
    of_package = sealed_parts(case, request) - before
    kept = files_of(case)
    here = [name for name, body in kept.items() if body == package.outside["path"].read_bytes()]
    case.expect(bool(here or of_package), "nobody can tell where the package is kept")
    for day, there in (("2026-06-03", True), ("2026-06-04", False)):
        case.clock(f"{day}T09:00:00Z")
        case.round()
        now = files_of(case)
        if here:
            case.same(f"the package on {day}", any(name in now for name in here), there)
        else:
            case.same(f"the package in the store on {day}", bool(of_package & sealed_parts(case, request)), there)
    shown = asking.show(request)
    case.expect(shown.get("request") == request, "the register lost the request")
    case.expect(package.outside["sha256"] in json.dumps(shown) + json.dumps(case.ledger()), "the register does not keep the hash")


@contextmanager
def served(case: Case) -> Iterator[str]:
    """The product's own downloads, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (case.folder / "serve.log").open("a") as log:
        process = subprocess.Popen(
            command("serve", "--port", str(port)),
            env=case.env | {"PYTHONPATH": str(ROOT)},
            cwd=case.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        root = f"http://127.0.0.1:{port}"
        case.wait_for(lambda: process.poll() is not None or answers(root))
        yield root
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(root: str) -> bool:
    try:
        requests.get(root + "/healthz", timeout=5)
    except requests.RequestException:
        return False
    return True


def token_of(package: Package) -> str:
    return str(package.outside.get("link", "")).rstrip("/").rsplit("/", 1)[-1]


@scenario("EXP-16 contract 6: the link gives the package five times, and nothing to anybody else")
def link(case: Case) -> None:
    asking = Asking(case)
    request = approved(case, asking)
    package = asking.release(request)
    expires = str(package.outside.get("expires_at"))
    case.expect(expires[:10] in ("2026-12-09", "2026-12-10"), f"the link is good until {expires}, not for 14 days")
    token, body = token_of(package), package.outside["path"].read_bytes()
    case.expect(len(token) >= 22, f"a token of {len(token)} characters can be guessed")
    with served(case) as root:
        for wrong in (token[:-1] + ("a" if token[-1] != "a" else "b"), token.swapcase(), "x", "..%2f..%2fstate.db", request):
            answer = requests.get(f"{root}/d/{wrong}", timeout=20)
            case.expect(
                answer.status_code in (403, 404, 410) and answer.content != body, f"a wrong token is answered with {answer.status_code}"
            )
        for count in range(1, 6):
            answer = requests.get(f"{root}/d/{token}", timeout=20)
            case.expect(
                answer.status_code == 200 and answer.content == body, f"download {count}: {answer.status_code}, {len(answer.content)} bytes"
            )
            name = answer.headers.get("content-disposition", "")
            case.expect("no-store" in answer.headers.get("cache-control", ""), f"a download may be cached: {dict(answer.headers)}")
            case.expect("kx" not in name, f"the name of the file tells {name}")
        answer = requests.get(f"{root}/d/{token}", timeout=20)
        case.expect(answer.status_code in (403, 404, 410), f"the sixth download: {answer.status_code}")
    log = (case.folder / "serve.log").read_text()
    case.expect(token not in log, "the token stands in the log of the service")


@scenario("EXP-16: the link is good on the fourteenth day and dead after it; a wrong delivery kills it at once")
def link_ends(case: Case) -> None:
    asking = Asking(case)
    good, wrong = approved(case, asking), approved(case, asking)
    fine, bad = asking.release(good), asking.release(wrong)
    told = case.ask("requests", "misdelivered", wrong, *DPO)
    case.expect("2026-11-28" in json.dumps(told) + json.dumps(asking.show(wrong)), f"72 hours are not told: {told}")
    for at, code in (("2026-12-09T10:59:00Z", 200), ("2026-12-10T11:01:00Z", 0)):
        case.clock(at)
        with served(case) as root:
            answer = requests.get(f"{root}/d/{token_of(fine)}", timeout=20)
            case.expect(answer.status_code == 200 if code else answer.status_code in (403, 404, 410), f"{at}: {answer.status_code}")
            dead = requests.get(f"{root}/d/{token_of(bad)}", timeout=20)
            case.expect(dead.status_code in (403, 404, 410), f"{at}: the link of a wrong delivery gives {dead.status_code}")


@scenario("EXP-16: of many who ask at the same moment five get the package")
def link_race(case: Case) -> None:
    asking = Asking(case)
    request = approved(case, asking)
    package = asking.release(request)
    body = package.outside["path"].read_bytes()
    with served(case) as root, ThreadPoolExecutor(12) as pool:
        answers_ = list(pool.map(lambda _: requests.get(f"{root}/d/{token_of(package)}", timeout=30), range(12)))
    good = [a for a in answers_ if a.status_code == 200 and a.content == body]
    case.same("downloads", len(good), 5)
    case.expect(all(a.status_code in (200, 403, 404, 410, 429) for a in answers_), f"answers {[a.status_code for a in answers_]}")


@scenario("contract 6: the service gives downloads by their token and nothing else without signing in")
def nothing_else(case: Case) -> None:
    asking = Asking(case)
    request = approved(case, asking)
    package = asking.release(request)
    with served(case) as root:
        for path in (
            "/d/",
            "/d",
            f"/d/{token_of(package)}/../x",
            f"/d/{token_of(package)}%00",
            f"/requests/{request}",
            "/requests",
            "/api",
            "/openapi.json",
            "/docs",
        ):
            answer = requests.get(root + path, timeout=20, allow_redirects=False)
            case.expect(
                answer.status_code != 200 or answer.content[:2] != b"PK", f"{path}: {answer.status_code} {len(answer.content)} bytes"
            )
            case.expect("kx" not in answer.text and request not in answer.text, f"{path} tells of the request")
        for method in ("POST", "PUT", "DELETE"):
            answer = requests.request(method, f"{root}/d/{token_of(package)}", timeout=20)
            case.expect(answer.status_code in (403, 404, 405), f"{method}: {answer.status_code}")
        answer = requests.get(f"{root}/d/{token_of(package)}", timeout=20)
        case.expect(answer.status_code == 200, f"the download afterwards: {answer.status_code}")
        for header in ("x-content-type-options", "content-disposition"):
            case.expect(header in answer.headers, f"a download has no {header}")


@scenario("contract 3.6: the passphrase is a new file, a missing folder is a usage error, and nothing is half done")
def output_files(case: Case) -> None:
    asking = Asking(case)
    request = approved(case, asking)
    old = asking.path(".txt")
    old.write_text("oud")
    args = ("requests", "release", request, *APPROVER, "--output")
    case.refused(*args, asking.path(".zip"), "--passphrase-file", old, code=2)
    case.same("the old file", old.read_text(), "oud")
    case.refused(*args, asking.beside / "none" / "f.zip", "--passphrase-file", asking.path(".txt"), code=2)
    case.refused(*args, asking.path(".zip"), "--passphrase-file", asking.beside / "none" / "p.txt", code=2)
    case.refused(*args, asking.path(".zip"), code=2)
    case.same("state", asking.show(request)["state"], "approved")
    target = asking.path(".zip")
    target.write_bytes(b"old")
    new = asking.path(".txt")
    case.ask(*args, target, "--passphrase-file", new)
    case.expect(target.read_bytes()[:2] == b"PK", "the old file was not replaced")
    case.expect(len(new.read_text().strip()) >= 16, "the passphrase is short")
    leftovers = [p.name for p in asking.beside.iterdir() if "tmp" in p.name or p.name.startswith(".")]
    case.same("files left over", leftovers, [])
