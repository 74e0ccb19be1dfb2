"""The CRM: that it is reached, what it is, what the role may do there, and what a plan would miss."""

from collections.abc import Callable, Iterator
from datetime import datetime

from connectors.dynamics.connector import DynamicsConnector
from connectors.interface.connector import Connector
from connectors.interface.errors import ReadIncomplete, Unreachable
from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.doctor.check import Check, Tell, attempt, failed
from crm_compliance.doctor.outside import about_documents
from crm_compliance.hints import in_words
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.crm import connector_of, lake_of
from crm_compliance.wiring.desk import desk
from crm_compliance.wiring.fits_this_crm import checked, fitting
from crm_compliance.wiring.schedule import policy_of
from crm_compliance.wiring.store import store_of
from jobs.checks.whole_view import permitted
from jobs.model.plan import Kind
from jobs.plans.alarms.earlier_plans import EarlierPlans
from jobs.plans.alarms.warnings import overlooked
from jobs.reading.tables.night import whole_reads
from jobs.restores.detect import RESTORED, rows_back
from rules.errors import ComplianceError, MappingError, UsageError
from rules.hints import hint_to
from rules.model.records import KINDS, Record
from rules.organisation.organisation import Organisation
from rules.policy.policy import Policy
from rules.retention.relations import relation_terms

SKEW_S = 60.0  # a clock that is off by more may judge a birthday on the wrong day


def about_crm(settings: Settings, on_wait: Tell | None, *, has_store: bool, is_well: bool) -> Iterator[Check]:
    try:
        connector = connector_of(settings, warn=on_wait)
    except ComplianceError as error:
        yield failed("mapping" if isinstance(error, MappingError) else "crm", error)
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
                is_away = not attempt("crm", connector.whoami).ok
                raise

        if is_away:
            return Check(name, False, "cannot be looked at while the CRM does not answer", exit_code=Unreachable.exit_code)
        return attempt(name, asked)

    with connector:
        reached = attempt("crm", lambda: f"reached as application user {connector.whoami()}")
        yield reached
        if not reached.ok:
            return
        needed = [ask("mapping", lambda: _mapping(connector, policy_of(settings), organisation_of(settings)))]
        yield needed[0]
        if has_store:
            yield ask("overlooked", lambda: _overlooked(settings, connector))
        yield ask("datamap", lambda: _datamap(connector))
        if settings.sharepoint_sites:
            yield ask("documents", lambda: about_documents(settings, connector))
        needed.append(ask("privileges", lambda: _privileges(connector, policy_of(settings))))
        yield needed[1]
        yield ask("capabilities", lambda: _capabilities(connector))
        if settings.crm_lake is not None:
            yield ask("lake", lambda: _lake(settings, on_wait))
        yield ask("visibility", lambda: _visibility(connector))
        if is_well and all(check.ok for check in needed):  # else nobody could look
            yield ask("restored", lambda: _restored(settings, on_wait))
        yield ask("clock", lambda: _clock(settings, connector.server_time()))


def _mapping(connector: DynamicsConnector, policy: Policy, organisation: Organisation) -> str:
    fitting(connector, policy)
    return "\n".join(["fits the CRM", *checked(connector, policy, organisation)])


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
