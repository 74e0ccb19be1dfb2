"""certificate, keys, evidence: proof of what was done, for people who need not believe us."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from crm_compliance.cli.terminal.people import AS, role_for
from crm_compliance.host.files import write_whole
from rules.errors import Refused, UsageError
from rules.model.roles import Act

if TYPE_CHECKING:
    from rules.policy.policy import Policy

BROKEN = 7
VERIFY = "verify"
keys = typer.Typer(help="Register and signing keys: show, rotate, destroy.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.command("certificate")(certificate)
    app.add_typer(keys, name="keys")
    app.command("evidence")(evidence)


def certificate(
    words: list[str] = typer.Argument(..., metavar="RUN | verify F.json", help="A run, or `verify` and a file."),
    path: Path | None = typer.Option(None, "--output", metavar="F.json", help="Where the certificates of the run go."),
    unit: tuple[str, str] | None = typer.Option(None, "--unit", metavar="TABLE ID", help="The certificate of this unit alone."),
    pem: Path | None = typer.Option(None, "--keys", metavar="PEM", help="verify: public keys; without, those of this installation."),
) -> int:
    """Write the signed certificates of disposal of a run, or verify such a file without store and network
    (exit 7 where it does not hold).

    Example: crm-compliance certificate run-0123 --output certificates.json
    """
    if words[0] == VERIFY and len(words) == 2:
        if path is not None or unit is not None:
            raise UsageError("certificate verify takes no --output and no --unit")
        return _verify(Path(words[1]), pem)
    if len(words) != 1 or words[0] == VERIFY:
        raise UsageError("certificate takes a run, or `verify` and one file", hint="crm-compliance certificate --help")
    if path is None or pem is not None:
        raise UsageError("certificate RUN takes --output and no --keys", hint=f"crm-compliance certificate {words[0][:60]} --output F.json")
    return _write(words[0], path, unit)


def _write(run: str, path: Path, unit: tuple[str, str] | None) -> int:
    from crm_compliance.proof import certificates_of
    from jobs.proof.attestation import encode

    settings = arguments.settings()
    arguments.target(path, ".json")
    wanted = (unit[0], arguments.row_id(unit[1])) if unit is not None else None
    with arguments.opened_store(settings) as (store, clock):
        document = certificates_of(settings, store, clock, run, output.warn, wanted)
    with write_whole(path) as out:
        out.write(encode(document))
    count = len(document.certificates)
    told: dict[str, object] = {"run": run, "file": str(path), "certificates": count, "root": document.root, "key": document.key}
    output.answer(told, lambda _: print_line(f"written: {path}, certificates: {count}, signed with {document.key}"), ids=("run", run))
    return 0


def _verify(path: Path, pem: Path | None) -> int:
    from jobs.ledger.entries import LedgerBroken
    from jobs.proof.verify_document import verify_document

    keys = arguments.public_keys(pem)
    if keys is None:  # whoever verifies has to say whom he trusts
        raise UsageError(
            "there are no public keys to verify signatures with", hint="--keys PEM: what `crm-compliance keys show --output` wrote"
        )
    document, problems = verify_document(arguments.content(path), keys.check, str(path))
    told: dict[str, object] = {
        "ok": not problems,
        "run": document.run.run if document is not None else None,
        "certificates": len(document.certificates) if document is not None else 0,
        "key": document.key if document is not None else None,
        "problems": [{"where": problem.where, "what": problem.what} for problem in problems],
    }

    def show(_: object) -> None:
        for problem in problems:
            print_line(str(problem))
        if document is not None and not problems:
            print_line(f"{len(document.certificates)} certificates of {document.run.run} verify; signed with {document.key}")

    output.answer(told, show)
    if not problems:
        return 0
    error = LedgerBroken(str(problems[0]), hint="keep the file and tell the DPO", where=str(path), code="certificate_broken")
    output.fail(error)
    return BROKEN


@keys.command("show")
def show(path: Path | None = typer.Option(None, "--output", metavar="F.pem", help="Write all public keys to a file.")) -> None:
    """List the keys, and write the public ones to a file by which anybody can verify signatures.

    Example: crm-compliance keys show --output keys.pem
    """
    from crm_compliance.cli.terminal.tables import table_of
    from crm_compliance.keys.public_keys import write_pem
    from crm_compliance.wiring.keys import register_key
    from crm_compliance.wiring.schedule import policy_of

    settings = arguments.settings()
    if path is not None:
        arguments.target(path, ".pem")
    ring = register_key(settings)
    if path is not None:
        with write_whole(path) as out:
            out.write(write_pem(ring.public()))
    policy = policy_of(settings)
    rows = [_told(ring, key, policy) for key in ring.keys]
    cells = [(str(row["key"]), str(row["kind"]), str(row["state"]), str(row["made_at"])[:10], str(row["until"] or "")) for row in rows]
    output.answer(
        {"keys": rows, "files": [str(path)] if path is not None else []},
        lambda console: console.print(table_of(("Key", "Kind", "State", "Made", "Kept until"), cells)),
    )


def _told(ring: Any, key: Any, policy: Policy) -> dict[str, object]:
    from crm_compliance.keys.key_file import KeyKind
    from rules.dates.instants import instant

    is_current = ring.current(key.kind).id == key.id
    until = None
    if key.kind is KeyKind.REGISTER and not is_current:
        until = policy.calendar.day(ring.destroyable_from(key.id, policy.own_data.certificate_years)).isoformat()
    return {
        "key": key.id,
        "kind": key.kind.value,
        "state": "in use" if is_current else "replaced",
        "made_at": instant(key.made_at, "seconds"),
        "until": until,
    }


@keys.command("rotate")
def rotate() -> None:
    """Make new keys and use them from now on; old references and signatures stay valid. Commands do this by
    themselves once a year.

    Example: crm-compliance keys rotate
    """
    from crm_compliance.keys.checkpoint_signer import DeskNotary
    from crm_compliance.keys.store_and_keys import tell_of_keys
    from crm_compliance.wiring.keys import keys_in_force
    from jobs.proof.checkpoint import make_checkpoint

    settings = arguments.settings()
    with arguments.opened_store(settings) as (store, clock), store.leases.exclusive():
        ring, entries = keys_in_force(settings, store, clock).rotate(clock(), tell=lambda entries: tell_of_keys(store, entries))
        make_checkpoint(store, DeskNotary(settings, ring, output.warn), clock)
    made = [{"kind": entry["kind"], "from": entry["from"], "to": entry["to"]} for entry in entries]
    lines = [f"{each['kind']}: {each['to']} replaces {each['from']}" for each in made]
    output.answer({"keys": made}, lambda _: print_line("\n".join([*lines, "back up the folder keys/ now"])))


@keys.command("destroy")
def destroy(key: str = typer.Argument(..., metavar="KEY"), as_: str = AS, role: str = role_for(Act.DESTROY_KEY)) -> None:
    """Destroy a replaced register key once the certificates that it protects are past their term: its
    references then lead nowhere.

    Example: crm-compliance keys destroy r-2026-11-0a1b2c3d --as dora --role dpo
    """
    from crm_compliance.identity.signin import person
    from crm_compliance.keys.store_and_keys import DESTROYED, destroyed_keys
    from crm_compliance.wiring.keys import keys_in_force
    from crm_compliance.wiring.schedule import policy_of
    from jobs.checks.denials import denied, refuse_role

    settings = arguments.settings()
    signed_in = person(settings, as_, role)
    years = policy_of(settings).own_data.certificate_years
    with arguments.opened_store(settings) as (store, clock), store.leases.exclusive():
        ring = keys_in_force(settings, store, clock)
        data = {"action": "keys destroy", "key": key[:40], "role": signed_in.role, "by": ring.reference("person", signed_in.who)}
        refuse_role(store, signed_in.who, signed_in.role, Act.DESTROY_KEY, data, where=key[:40])
        if key not in destroyed_keys(store):  # else a command that was killed came so far, and its key is gone by now
            try:
                ring.refuse_undestroyable(key, years, clock())
            except Refused as error:
                raise denied(store, Act.DESTROY_KEY, data, error) from None
            # First: a key that is gone, and that the ledger does not say so of, was lost.
            store.journal.forget_key(key, (DESTROYED, data))
            ring.destroy(key, years, clock())
    output.answer({"key": key, "state": "destroyed"}, lambda _: print_line(f"{key} is destroyed; destroy its copies in backups too"))


def evidence(path: Path = typer.Option(..., "--output", metavar="F.zip")) -> None:
    """Write all that an auditor needs into one archive, without personal data, with instructions to verify it
    from its files alone.

    Example: crm-compliance evidence --output evidence.zip
    """
    from crm_compliance.proof import write_evidence

    settings = arguments.settings()
    arguments.target(path, ".zip")
    with arguments.opened_store(settings) as (store, clock):
        names = write_evidence(settings, store, clock, path, output.warn)
    output.answer({"file": str(path), "files": names}, lambda _: print_line(f"written: {path}, {len(names)} files"))
