"""Self-checks: everything that a night depends on, each with what to do where it is not well."""

import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from connectors.channels.channel import ChannelFailed
from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.mapping.loader import examine_mapping
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.interface.connector import Connector
from connectors.interface.errors import ReadIncomplete, Unreachable
from crm_compliance.alerts.channels import channels_of, mail_certificates
from crm_compliance.configuration.hours import triggers_of
from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.connections.document_stores import document_stores
from crm_compliance.connections.endings import Ending, client_ending, endings
from crm_compliance.connections.object_stores import object_stores
from crm_compliance.hints import in_words, with_place
from crm_compliance.host.files import LEAST_BYTES, DiskProblem, disk_problem, free_bytes, refuse_unwritable, writable_by_others
from crm_compliance.host.ownership import HINT, strangers
from crm_compliance.keys.checkpoint_signer import audit_store
from crm_compliance.keys.key_ring import KeyKind, KeyRing, KeysMissing, KeyUnusable, memory_key
from crm_compliance.keys.store_and_keys import remnants
from crm_compliance.proof import refuse_broken, verify_ledger
from crm_compliance.store.sql.database import StoreUnusable, parse
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.crm import connector_of, lake_of
from crm_compliance.wiring.desk import desk
from crm_compliance.wiring.fits_this_crm import checked, fitting, permitted
from crm_compliance.wiring.keys import register_key
from crm_compliance.wiring.mapping import mapping_text
from crm_compliance.wiring.schedule import calendar_of, policy_of
from crm_compliance.wiring.store import store_of
from jobs.checks.same_zone import refuse_other_zone
from jobs.ledger.entries import StoreAltered
from jobs.model.last_verification import Verifier
from jobs.model.plan import Kind
from jobs.plans.earlier_plans import EarlierPlans
from jobs.plans.make import overlooked
from jobs.reading.tables.night import whole_reads
from jobs.register.dates import OVERDUE, has_gone_overdue
from jobs.restores.detect import RESTORED, rows_back
from rules.dates.instants import instant
from rules.errors import ComplianceError, MappingError, UsageError
from rules.hints import hint_to
from rules.model.records import KINDS, Record
from rules.organisation.organisation import SAID_BY_POLICY
from rules.policy.loader import SHIPPED
from rules.policy.policy import Policy
from rules.redaction.country_formats import is_known
from rules.retention.relations import relation_terms

MB, GB = 10**6, 10**9
LITTLE_BYTES = GB  # plans of a year of nights take less; backups beside them take more
SOON = timedelta(days=60)  # a renewal takes somebody of another department
SKEW_S = 60.0  # a clock that is off by more may judge a birthday on the wrong day


@dataclass(frozen=True, slots=True)
class Check:
    """One self-check; `hint` says what to do where it is not `ok`."""

    name: str
    ok: bool
    message: str
    hint: str = ""
    exit_code: int = 0
    where: str = ""


Tell = Callable[[str], None]


def examine(settings: Settings, on_wait: Tell | None = None) -> list[Check]:
    """Run every check that can be run; one that fails does not hide the others. `on_wait` is told of long
    waits for the CRM as they begin."""
    checks: list[Check] = [_attempt("packages", _packages)]
    checks.append(_attempt("policy", lambda: _policy(policy_of(settings))))
    checks.append(_attempt("organisation", lambda: _organisation(settings)))
    checks.append(_attempt("store", lambda: _store(settings)))
    checks.append(_attempt("keys", lambda: _keys(settings)))
    checks.append(_attempt("anchor", lambda: _anchor(settings)))
    if all(check.ok for check in checks):
        checks.append(_attempt("nights", lambda: _nights(settings)))
    checks.append(_attempt("disk", lambda: _disk(settings)))
    checks.append(_attempt("storage", lambda: _storage(settings)))
    expiry = _attempt("expiry", lambda: _expiry(settings))
    if expiry.message:
        checks.append(expiry)
    if settings.sharepoint_sites:
        checks.append(_attempt("sharepoint", lambda: _sharepoint(settings)))
    if settings.alerts is not None or settings.alert_secrets:
        checks.append(_attempt("alerts", lambda: _alerts(settings)))
    has_store = all(check.ok for check in checks if check.name == "store")
    checks += _crm(settings, on_wait, has_store=has_store, is_well=all(check.ok for check in checks))
    return list(_told_once(checks))


def _told_once(checks: Iterable[Check]) -> Iterator[Check]:
    """Yield each check; one that fails for what an earlier one has told names that one instead of telling it
    again. A schedule or a mapping that is refused keeps several checks from being made."""
    told: dict[str, str] = {}
    for check in checks:
        is_ours = not check.ok and check.where and check.exit_code == MappingError.exit_code
        earlier = told.setdefault(check.where, check.name) if is_ours else check.name
        yield check if earlier == check.name else replace(check, message=f"cannot be looked at before {earlier} is in order", hint="")


def _crm(settings: Settings, on_wait: Tell | None, *, has_store: bool, is_well: bool) -> Iterator[Check]:
    try:
        connector = connector_of(settings, warn=on_wait)
    except ComplianceError as error:
        yield _failed("mapping" if isinstance(error, MappingError) else "crm", error)
        return
    is_away = False

    def ask(name: str, check: Callable[[], str]) -> Check:
        """Ask the CRM, unless it has gone altogether meanwhile: each check would wait for it as long as the
        first."""

        def asked() -> str:
            nonlocal is_away
            try:
                return check()
            except Unreachable:
                is_away = not _attempt("crm", connector.whoami).ok
                raise

        if is_away:
            return Check(name, False, "cannot be looked at while the CRM does not answer", exit_code=Unreachable.exit_code)
        return _attempt(name, asked)

    with connector:
        reached = _attempt("crm", lambda: f"reached as application user {connector.whoami()}")
        yield reached
        if not reached.ok:
            return
        needed = [ask("mapping", lambda: _mapping(connector, policy_of(settings)))]
        yield needed[0]
        if has_store:
            yield ask("overlooked", lambda: _overlooked(settings, connector))
        yield ask("datamap", lambda: _datamap(connector))
        if settings.sharepoint_sites:
            yield ask("documents", lambda: _documents(settings, connector))
        needed.append(ask("privileges", lambda: _privileges(connector, policy_of(settings))))
        yield needed[1]
        yield ask("capabilities", lambda: _capabilities(connector))
        if settings.crm_lake is not None:
            yield ask("lake", lambda: _lake(settings, on_wait))
        yield ask("visibility", lambda: _visibility(connector))
        if is_well and all(check.ok for check in needed):  # else nobody could look
            yield ask("restored", lambda: _restored(settings, on_wait))
        yield ask("clock", lambda: _clock(settings, connector.server_time()))


def _attempt(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except ComplianceError as error:
        return _failed(name, error)
    except OSError as error:
        if (problem := disk_problem(error)) is None:
            raise
        return _failed(name, problem)


def _failed(name: str, error: ComplianceError) -> Check:
    return Check(name, False, with_place(str(error), error.where), in_words(error.hint), error.exit_code, error.where)


def _policy(policy: Policy) -> str:
    """Return the schedule in force, and how long our own data are kept by it."""
    own = policy.own_data
    terms = (
        f"own data (ACC-07): lines of plans {own.plan_lines_days} days, journals of runs {own.run_log_months} months, holds "
        f"{own.hold_years} years after their end, register of requests {policy.defaults.register_years} years, certificates and schedules "
        f"{own.certificate_years} years; log lines are yours to remove after {own.technical_log_months} months"
    )
    told = [f"{policy.name} {policy.version}", terms]
    if not is_known(country := policy.home.country):
        told.append(
            f"of {country} it is not known how number plates, mobile numbers without a zero and postcodes are written: in texts a plate "
            "is found beside a word for it, a number with its zero or country code, a postcode of four or five digits before a town"
        )
    return "\n".join(told)


def _organisation(settings: Settings) -> str:
    """Return in whose name answers speak, with what requesters cannot be informed of because the controller
    has not filled it in (7.1)."""
    found = organisation_of(settings)
    try:
        policy = policy_of(settings)
    except ComplianceError:  # the check of the policy tells what is wrong with it
        return f"answers speak for {found.controller.name}; what is yet to be filled in depends on the schedule"
    organisation = found.under(policy)
    told = [f"answers speak for {organisation.controller.name}, in {', '.join(organisation.languages)}"]
    if unfilled := organisation.unfilled(policy):
        told.append(f"yet to be filled in by the controller: {', '.join(unfilled)}")
    if organisation.digest != found.digest:
        told.append("warning: the schedule says who the controller is; the rest comes from the shipped file: name your own in ORGANISATION")
    elif found.is_shipped and policy.name != SHIPPED:
        told.append(f"warning: the schedule is not that of {organisation.controller.name}: name your own organisation in ORGANISATION")
    elif found.is_shipped and _is_another_crm(settings):
        told.append(f"warning: the CRM is not that of {organisation.controller.name}: name your own organisation in ORGANISATION")
    elif not found.is_shipped and (said := sorted(policy.model_fields_set.intersection(SAID_BY_POLICY))):
        told.append(f"the schedule has {', '.join(said)} as well, which is not read: the organisation file counts")
    return "\n".join(told)


def _is_another_crm(settings: Settings) -> bool:
    """Return whether the mapping has its dossiers in other tables than the shipped one; not where it is
    refused, which is told by itself."""
    if settings.mapping is None:
        return False
    try:
        texts = mapping_text(settings)[0], REFERENCE.read_text(encoding="utf-8")
    except ComplianceError:
        return False
    own, shipped = (examine_mapping(text, "mapping")[0] for text in texts)
    if own is None or shipped is None:
        return False
    return {each.name for each in own.of("dossier")}.isdisjoint(each.name for each in shipped.of("dossier"))


def _packages() -> str:
    """Check for packages of these names from PyPI: an environment with one would run foreign code."""
    if found := strangers():
        raise UsageError(f"other software owns packages of ours: {'; '.join(found)}", hint=HINT)
    return "no package name collides"


def _store(settings: Settings) -> str:
    clock = clock_of(settings)
    with store_of(settings, clock) as store:
        try:
            audit, _ = verify_ledger(settings, store, clock, by=Verifier.DOCTOR)
        except (KeyUnusable, KeysMissing):  # the check of the keys tells what is wrong with them
            audit = audit_store(settings, store, calendar_of(settings, store), signatures=False)
        refuse_broken(audit)
        told = f"the chain holds; checkpoints: {audit.checkpoints}, all fit"
        if store.database.file is not None:  # it can be looked at all the same, and no night could write
            refuse_unwritable(store.database.file)
        with store.database.writing():  # nor where another program holds it
            pass
        return f"runs: {len(store.runs.all())}; ledger entries: {audit.verdict.entries}, {told}"


def _disk(settings: Settings) -> str:
    """Say how much room there is where nights write, each disk once."""
    places = [settings.data_dir.absolute(), settings.erasures_path, settings.checkpoint_log_path]
    with suppress(StoreUnusable):  # the check of the store tells
        url = parse(settings.store_url)
        places += [Path(url.database)] if url.get_backend_name() == "sqlite" and url.database else []
    told: dict[int, str] = {}
    for place in places:
        if (free := free_bytes(place)) < LEAST_BYTES:
            raise DiskProblem(
                f"the disk of {place} has {free / MB:.0f} MB left: too little for a night", hint="make room", where=str(place)
            )
        little = "warning: little room: " if free < LITTLE_BYTES else ""
        told.setdefault(free, f"{little}{free / GB:.1f} GB are free at {place}")
    return "\n".join(told.values())


def _nights(settings: Settings) -> str:
    """Warn of what happens unseen: the kill switch, kinds of which no run was completed for long, subject
    requests that are late. The hour of each job must be one."""
    clock, policy = clock_of(settings), policy_of(settings)
    calendar = policy.calendar
    triggers_of(settings, calendar.zone)
    with store_of(settings, clock) as store:
        refuse_other_zone(store, policy)
        since = store.kill_switch.stopped_since()
        told = [] if since is None else [f"STOPPED since {instant(since)}: nothing is applied until {in_words(hint_to('let_go_on'))}"]
        if settings.crm_url is not None:
            hours = policy.watch.no_run_hours
            found = EarlierPlans.of(store, settings.crm_url).missing_runs(Kind.ALL, clock(), hours)
            told += [f"{alarm.code}: {alarm.message}" for alarm in found]
        late = sum(has_gone_overdue(request, clock(), calendar) for request in store.requests.all())
        if late:
            told.append(f"{OVERDUE}: {late} subject requests should have been answered: {in_words(hint_to('list_requests'))}")
    return "\n".join(told) or "runs are enabled and none was missed"


def _storage(settings: Settings) -> str:
    """Check the storages outside the CRM: an error if unusable, a warning if one keeps what we remove."""
    told = []
    for store in object_stores(settings):
        found = store.findings()
        errors = [finding.message for finding in found if finding.is_error]
        if errors:
            raise UsageError("; ".join(errors), hint="STORAGE_DIR, AZURE_STORAGE, AZURE_CONTAINER", where=found[0].where)
        told += [store.described, *(finding.message for finding in found)]
    return "\n".join(told) or "no external storage configured; recordings stored there are skipped"


def _expiry(settings: Settings) -> str:
    """Warn of certificates and signatures that will end soon; one that has ended is an error. Empty where the
    settings name none."""
    now, found = clock_of(settings)(), [*endings(settings), *_mail_endings(settings)]
    if ended := [each for each in found if each.at <= now and each.is_needed]:
        raise UsageError(
            "; ".join(f"{each.what} ended on {each.at:%Y-%m-%d}" for each in ended), hint=ended[0].remedy, where=ended[0].where
        )
    first = min((each.at for each in found if not each.is_needed), default=now)
    told = [each for each in found if each.is_needed or each.at - now < SOON or each.at == first]  # a bundle trusts a hundred
    return "\n".join(_told_of(each, now) for each in told)


def _mail_endings(settings: Settings) -> Iterator[Ending]:
    try:
        found = mail_certificates(settings)
    except ComplianceError:  # the check of the alerts tells what is wrong with them
        return
    for name, path, password in found:
        yield client_ending(Path(path), password, f"ALERTS, channel {name}")


def _told_of(each: Ending, now: datetime) -> str:
    if each.at <= now:
        return f"warning: {each.what} ended on {each.at:%Y-%m-%d}: {each.remedy}"
    if each.at - now < SOON:
        return f"warning: {each.what} ends on {each.at:%Y-%m-%d}, in {(each.at - now).days} days: {each.remedy}"
    return f"{each.what} ends on {each.at:%Y-%m-%d}"


def _alerts(settings: Settings) -> str:
    """Check that each alert channel is reached, without anybody hearing of it."""
    told, problems = [], []
    for name, channel in channels_of(settings, clock_of(settings)).by_name.items():
        try:
            told.append(f"{name}: {channel.check()}")
        except ChannelFailed as error:
            problems.append(error)
    if problems:
        raise ChannelFailed("; ".join(map(str, problems)), hint=problems[0].hint, code=problems[0].code)
    return "\n".join(told)


def _sharepoint(settings: Settings) -> str:
    """Check that SharePoint lets us in, that each site of the settings is reached with its recycle bin, and
    what the application may do there."""
    told = []
    for store in document_stores(settings):
        with closing(store):
            found = store.findings()
        errors = [finding.message for finding in found if finding.is_error]
        if errors:
            raise UsageError("; ".join(dict.fromkeys(errors)), hint="docs/sharepoint.md says how access is given", where=found[0].where)
        told += [store.described, *(finding.message for finding in found)]
    return "\n".join(told)


def _documents(settings: Settings, connector: Connector) -> str:
    """Return how many rows of the CRM have documents in SharePoint, and of how many no setting reaches
    these."""
    found = [location for location in connector.document_locations() if location.owner is not None]
    (store,) = document_stores(settings)
    with closing(store):
        outside = sum(store.canonical(location.address) is None for location in found)
    told = [f"{len(found)} document locations belong to rows of the CRM"]
    if outside:
        told.append(
            f"warning: {outside} of them lie outside SHAREPOINT_SITES: their units wait, and answers say that nobody was looked for there"
        )
    return "\n".join(told)


def _anchor(settings: Settings) -> str:
    """Warn of a checkpoint log or a register of erasures that others may write, or that is where the database
    is: who can write the store can write beside it too, and a log there proves nothing against them."""
    path = settings.checkpoint_log_path
    told = [f"the external checkpoint log is {path}"]
    if settings.anchor_file is None:
        told = [
            f"warning: the external checkpoint log is at its default place, {path}, beside the database: ANCHOR_FILE names a better one"
        ]
    for file in (path, settings.erasures_path):
        if writable_by_others(file):
            told.append(f"warning: others may write {file}: chmod go-w {shlex.quote(str(file))}, where its storage knows modes")
    refuse_unwritable(path, settings.erasures_path)
    if settings.timestamp_url is not None:
        told.append(_time_stamp(settings.timestamp_url, settings.timestamp_ca))
    return "\n".join(told)


def _time_stamp(url: str, ca_file: Path | None) -> str:
    """Say whether the time-stamp authority stamps; a night goes on without it, so that this is a warning."""
    from crm_compliance.keys.timestamps import fetch

    try:
        fetch(url, b"a check of the settings", ca_file)
    except UsageError as error:
        return f"warning: no time stamp on checkpoints: {with_place(str(error), error.where)}; {in_words(error.hint)}"
    return "the time-stamp authority answers"


def _keys(settings: Settings) -> str:
    try:
        ring = register_key(settings)
    except (StoreUnusable, DiskProblem, StoreAltered):  # the check of the store tells what is wrong with it
        ring = KeyRing.read(settings.data_dir)
        if not ring.is_complete and remnants(settings):
            raise KeysMissing.of(settings.data_dir / "keys", []) from None
        return "which there should be nobody can tell without the store" if ring.is_complete else "there are none yet"
    memory_key(settings.make_data_dir())  # also for a CRM that is read in full each night: it seals where to cut
    used = ", ".join(ring.current(kind).id for kind in KeyKind)
    age = "; a year old: the next command that opens the CRM replaces them, back them up then" if ring.is_due(clock_of(settings)()) else ""
    return f"all are there and private; in use: {used}{age}"


def _mapping(connector: DynamicsConnector, policy: Policy) -> str:
    fitting(connector, policy)
    return "\n".join(["fits the CRM", *checked(connector, policy)])


def _overlooked(settings: Settings, connector: Connector) -> str:
    """Return warnings about what is easily overlooked: rows in long-term retention, columns that are new."""
    clock = clock_of(settings)
    with store_of(settings, clock) as store:
        known = EarlierPlans.of(store, settings.needed_crm_url).columns_known(clock())
        told = [str(each) for each in overlooked(connector.retained_rows(), connector.unaccounted_columns(), known)]
    return "\n".join(told) or "no row lies in long-term retention, and no column is new"


def _datamap(connector: Connector) -> str:
    """Return a warning for each table with rows that leads to a unit or person, unaccounted for."""
    told = [f"warning: UNACCOUNTED: {place.table}: {place.why} ({place.path})" for place in connector.data_map().alarming]
    return "\n".join(told) or "every table with rows that leads to a unit or a person is accounted for"


def _privileges(connector: Connector, policy: Policy) -> str:
    """Check what the role must allow and should not; then the first page of every mapped table, since a list
    may still be refused."""
    warnings = permitted(connector, policy)
    for record in _records(connector):
        if connector.has(record):
            next(iter(connector.read(record, ())), None)
    return "\n".join(["all that the jobs need is allowed, on the whole organisation", *warnings])


def _records(connector: Connector) -> list[type[Record]]:
    return [*KINDS.values(), *(kind.record for kind in connector.all_kinds.own)]


def _capabilities(connector: DynamicsConnector) -> str:
    return "\n".join(f"{each.name}: {'yes' if each.available else 'no'} - {each.reason}" for each in connector.capabilities())


def _visibility(connector: Connector) -> str:
    """Compare with the CRM's own counts: a role without organisation-wide read sees empty tables."""
    mapped = [record for record in _records(connector) if connector.has(record)]
    empty = [record for record in mapped if next(iter(connector.read(record, ())), None) is None]
    hidden = [connector.table(record) for record, total in connector.totals(empty).items() if total]
    if hidden:
        raise ReadIncomplete(
            f"the CRM counts rows that this account does not see in {', '.join(hidden)}", hint="give read access to the organisation"
        )
    return "no table looks empty that is not"


def _lake(settings: Settings, on_wait: Tell | None) -> str:
    """Read from the lake what a plan would, and say how new it is."""
    with connector_of(settings, lake=lake_of(settings, clock_of(settings)), warn=on_wait) as connector:
        reads = whole_reads(connector, Kind.ALL, relation_terms(policy_of(settings)))
        sources = [(source, fields) for record, fields in reads for source in connector.sources(record)]
        rows = sum(frame.height for source, fields in sources for frame in connector.columns(source, fields))
        return f"{rows} rows, taken up until {connector.lake_instant():%Y-%m-%dT%H:%M:%SZ}"


def _restored(settings: Settings, on_wait: Tell | None) -> str:
    """Report whether rows that had been erased are in the CRM again (ERA-13)."""
    with desk(settings, on_wait=on_wait) as opened:
        back = rows_back(opened.context)
    if back:
        return f"warning: {RESTORED}: {back} rows that had been erased are back in the CRM: {in_words(hint_to('replay'))}"
    return "no row that had been erased is back"


def _clock(settings: Settings, theirs: datetime | None) -> str:
    if theirs is None:
        return "the CRM tells no time"
    if settings.clock is not None:
        return "set by CRM_COMPLIANCE_CLOCK"
    skew = abs((clock_of(settings)() - theirs).total_seconds())
    if skew > SKEW_S:
        raise UsageError(
            f"this machine and the CRM differ by {skew:.0f} s", hint="synchronise the clock: retention ends are counted by date"
        )
    return f"differs from the CRM by {skew:.0f} s"
