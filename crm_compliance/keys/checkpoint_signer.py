"""Signs for this installation, and keeps checkpoints of the ledger where the database is not: what
`jobs.ports.notary.Notary` asks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import DiskProblem
from crm_compliance.keys.checkpoint_log import CheckpointLogUnfit, catch_up, read_checkpoint_log, refuse_behind_log
from crm_compliance.keys.key_file import KeyKind
from crm_compliance.keys.key_ring import KeyRing, public_keys_below
from crm_compliance.keys.public_keys import PublicKeys
from crm_compliance.store.store import SqlStore
from jobs.checks.ledger_drift import differences
from jobs.ledger.certificate_audit import audit_certificates
from jobs.ledger.checkpoints import Checkpoint
from jobs.ledger.entries import LedgerEntry, StoreAltered
from jobs.ledger.heads import STRANDS
from jobs.ledger.verification import Audit, Problem, audit_ledger
from rules.dates.calendar import Calendar
from rules.errors import ComplianceError, UsageError


class DeskNotary:
    """The keys of the data folder, the external checkpoint log, and the time-stamp authority of the settings
    where they name one. A failure of the last two is no reason to undo a night's work: `warn` reports it, and
    the next checkpoint tries again. With `recovering` the database is taken as it is, whatever the log
    knows."""

    def __init__(self, settings: Settings, ring: KeyRing, warn: Callable[[str], None], *, recovering: bool = False) -> None:
        self._settings, self._ring, self._warn, self._is_recovering = settings, ring, warn, recovering
        self._log: Path = settings.checkpoint_log_path

    @property
    def key(self) -> str:
        return self._ring.current(KeyKind.SIGNING).id

    @property
    def register_key(self) -> str:
        return self._ring.current(KeyKind.REGISTER).id

    @property
    def service(self) -> str:
        return self._ring.reference("service", self._settings.crm_client_id or "local")

    def sign(self, message: bytes) -> str:
        return self._ring.sign(message)

    def stamp(self, message: bytes) -> str:
        url = self._settings.timestamp_url
        if url is None:
            return ""
        from crm_compliance.keys.timestamps import fetch

        try:
            return fetch(url, message, ca_file=self._settings.timestamp_ca)
        except ComplianceError as error:
            self._warn(f"no time stamp on the checkpoint: {error}")
            return ""

    def refuse_behind(self, checkpoints: Callable[[], Sequence[Checkpoint]]) -> None:
        if not self._is_recovering:
            refuse_behind_log(self._settings, checkpoints)

    def log_checkpoints(self, checkpoints: Callable[[], Sequence[Checkpoint]]) -> None:
        try:
            catch_up(self._log, checkpoints)
        except (CheckpointLogUnfit, DiskProblem) as error:
            self._warn(f"{self._log}: {error}")


def audit_store(
    settings: Settings,
    store: SqlStore,
    calendar: Calendar,
    *,
    anchor: Path | None = None,
    keys: PublicKeys | None = None,
    signatures: bool = True,
    go_on: Callable[[], None] = lambda: None,
) -> Audit:
    """Verify the store's ledger against its checkpoints and against the external checkpoint log where there
    is one, its certificates against the ledger, and time stamps where the authority's certificate is known.
    Without `keys`, those of this installation check signatures, which are left aside where `signatures` is
    off. `go_on` is asked at each entry, and ends it by what it raises. Raises UsageError: nobody can look at
    the time stamps here, and all else verifies."""
    path = anchor or settings.checkpoint_log_path
    points = read_checkpoint_log(path) if anchor is not None or settings.anchor_file is not None or path.exists() else []
    if keys is None and signatures:
        keys = public_keys_below(settings.data_dir)
    kept = store.checkpoints.all()
    announced: dict[str, dict[str, object]] = {}
    told: dict[str, int] = {}
    seen: set[str] = set()
    registers: dict[object, tuple[int, object]] = {}
    expired: list[LedgerEntry] = []
    entries = _noting(_asking(store.ledger.entries(), go_on), announced, told, seen, registers, expired)
    audit = audit_ledger(entries, points, kept=kept, check=keys.check if keys is not None else None)
    audit.problems += audit_certificates(store.certificates.all(), announced, told, expired)
    if "run_ended" in seen and not kept:  # each run ends with one
        lacking = "there are runs, and not a single checkpoint: they were removed, or the first run was killed before its own"
        audit.problems.append(Problem("checkpoints", lacking, 1))
    audit.problems += _about_register(store, registers)
    if signatures:
        audit.problems += _about_tables(settings, store, calendar)
    try:
        audit.problems += _about_stamps(kept, settings.timestamp_ca)
    except UsageError as error:  # nobody can look at them here
        if audit.ok:
            raise
        audit.problems.append(Problem("time stamps", f"were not looked at: {error}", code=error.code, hint=error.hint))
    return audit


def _asking(entries: Iterable[LedgerEntry], go_on: Callable[[], None]) -> Iterator[LedgerEntry]:
    for entry in entries:
        go_on()
        yield entry


def _noting(
    entries: Iterable[LedgerEntry],
    announced: dict[str, dict[str, object]],
    told: dict[str, int],
    seen: set[str],
    registers: dict[object, tuple[int, object]],
    expired: list[LedgerEntry],
) -> Iterator[LedgerEntry]:
    """Yield the same entries and note facts in passing. These are what they say of certificates, the last
    statement on each run and its entry, which kinds of entries there are, the register of erasures at the end
    of each run, and which certificates have expired."""
    for entry in entries:
        if entry.kind == "certificates_expired":
            expired.append(entry)
        if entry.kind == "certificates" and entry.run is not None:
            keys = announced.get(entry.run, {}).get("register_keys")
            before = keys if isinstance(keys, list) else []
            announced[entry.run] = entry.data | {"register_keys": [*before, entry.data.get("register_key")]}
            told[entry.run] = entry.seq
        seen.add(entry.kind)
        register = entry.data.get("erasures")
        if entry.kind == "run_ended" and isinstance(register, dict):
            registers[register.get("rows")] = (entry.seq, register.get("digest"))
        yield entry


def _about_register(store: SqlStore, registers: dict[object, tuple[int, object]]) -> list[Problem]:
    """Return where the register of erasures, which only grows, differs from what each run left."""
    found = store.erasures.digests({rows for rows in registers if isinstance(rows, int)})
    told = "the register of erasures has lost or changed what it had at the end of a run"
    lost = [seq for rows, (seq, digest) in registers.items() if isinstance(rows, int) and rows and found.get(rows) != digest]
    return [Problem(f"entry {seq}", told, seq) for seq in sorted(lost)]


def _about_tables(settings: Settings, store: SqlStore, calendar: Calendar) -> list[Problem]:
    """Return the differences from the ledger's signed head, and from tables compared with it."""
    ring = KeyRing.read(settings.data_dir)
    try:
        for strand in STRANDS:
            store.ledger.strand(strand)
        store.erasures.check(whole=True)
        store.journal.check(whole=True)
        store.statistics.check()
        if not ring.is_complete:
            return []
        return [
            Problem(found.where, found.what) for found in differences(store, ring.references, calendar.day(store.ledger.now()), calendar)
        ]
    except StoreAltered as error:
        return [Problem(error.where or "store", str(error), code=error.code, hint=error.hint)]


def _about_stamps(checkpoints: Sequence[Checkpoint], ca_file: Path | None) -> list[Problem]:
    stamped = [checkpoint for checkpoint in checkpoints if checkpoint.timestamp]
    if ca_file is None or not stamped:
        return []
    from crm_compliance.keys.timestamps import NoTimestamp, stamped_at

    problems = []
    for checkpoint in stamped:
        try:
            stamped_at(checkpoint.timestamp, checkpoint.form, ca_file)
        except NoTimestamp as error:
            problems.append(Problem(f"checkpoint over {checkpoint.entries} entries", str(error), checkpoint.entries))
    return problems
