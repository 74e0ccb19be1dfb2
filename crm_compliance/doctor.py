"""Self-checks: everything that a night depends on, each with what to do where it is not well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from importlib.metadata import packages_distributions

from connectors.dynamics.connector import DynamicsConnector
from connectors.interface import Connector, ReadIncomplete
from crm_compliance.keys import memory_key
from crm_compliance.settings import Settings
from crm_compliance.wiring import checked, clock_of, connector_of, permitted, policy_of, register_key, store_of
from jobs.ledger import LedgerBroken, verify_chain
from rules.errors import ComplianceError, MappingError, UsageError
from rules.records import KINDS

OUR_PACKAGES = ("crm_compliance", "jobs", "connectors", "rules")
SKEW_S = 60.0  # a clock that is off by more may judge a birthday on the wrong day


@dataclass(frozen=True, slots=True)
class Check:
    """One self-check; `hint` says what to do where it is not `ok`."""

    name: str
    ok: bool
    message: str
    hint: str = ""
    exit_code: int = 0


def examine(settings: Settings) -> list[Check]:
    """Run every check that can be run; one that fails does not hide the others."""
    checks: list[Check] = [_attempt("packages", _packages)]
    checks.append(_attempt("policy", lambda: f"{policy_of(settings).name} {policy_of(settings).version}"))
    checks.append(_attempt("store", lambda: _store(settings)))
    checks.append(_attempt("keys", lambda: _keys(settings)))
    checks += _crm(settings)
    return checks


def _crm(settings: Settings) -> Iterator[Check]:
    try:
        connector = connector_of(settings)
    except ComplianceError as error:
        yield _failed("mapping" if isinstance(error, MappingError) else "crm", error)
        return
    with connector:
        reached = _attempt("crm", lambda: f"reached as application user {connector.whoami()}")
        yield reached
        if not reached.ok:
            return
        yield _attempt("mapping", lambda: _mapping(connector))
        yield _attempt("privileges", lambda: _privileges(connector))
        yield _attempt("capabilities", lambda: _capabilities(connector))
        yield _attempt("visibility", lambda: _visibility(connector))
        yield _attempt("clock", lambda: _clock(settings, connector.server_time()))


def _attempt(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except ComplianceError as error:
        return _failed(name, error)


def _failed(name: str, error: ComplianceError) -> Check:
    where = f"{error.where}: " if error.where and error.where not in str(error) else ""
    return Check(name, False, where + str(error), error.hint, error.exit_code)


def _packages() -> str:
    """PyPI has packages of these names too: an environment that holds one of them would run strange code."""
    owners = packages_distributions()
    foreign = {name: sorted(set(owners.get(name, ())) - {"crm-compliance"}) for name in OUR_PACKAGES}
    strangers = {name: found for name, found in foreign.items() if found}
    if strangers:
        raise UsageError(f"other distributions own packages of ours: {strangers}", hint="install in an environment of its own")
    return "the four packages are ours"


def _store(settings: Settings) -> str:
    with store_of(settings, clock_of(settings)) as store:
        verdict = verify_chain(store.ledger())
        if not verdict.ok:
            raise LedgerBroken(f"the ledger is broken at entry {verdict.first_broken}", hint="crm-compliance ledger verify")
        return f"runs: {len(store.runs())}; ledger entries: {verdict.entries}, the chain holds"


def _keys(settings: Settings) -> str:
    register_key(settings)
    if not settings.incremental_reads:
        return "the register key is there and private"
    memory_key(settings.make_data_dir())
    return "the register key and the memory key are there and private"


def _mapping(connector: Connector) -> str:
    return "\n".join(["fits the CRM", *checked(connector)])


def _privileges(connector: Connector) -> str:
    """What the role must allow and should not; then the first page of every mapped table, since a list may be refused all the same."""
    warnings = permitted(connector)
    for record in KINDS.values():
        if connector.has(record):
            next(iter(connector.read(record, ())), None)
    return "\n".join(["all that the jobs need is allowed, on the whole organisation", *warnings])


def _capabilities(connector: DynamicsConnector) -> str:
    return "\n".join(f"{each.name}: {'yes' if each.available else 'no'} - {each.reason}" for each in connector.capabilities())


def _visibility(connector: Connector) -> str:
    """A role without organisation-wide read shows empty tables instead of an error: compare with the CRM's own counts."""
    mapped = [record for record in KINDS.values() if connector.has(record)]
    hidden = [
        connector.table(record) for record in mapped if next(iter(connector.read(record, ())), None) is None and connector.total(record)
    ]
    if hidden:
        raise ReadIncomplete(
            f"the CRM counts rows that this account does not see in {', '.join(hidden)}", hint="give read access to the organisation"
        )
    return "no table looks empty that is not"


def _clock(settings: Settings, server: str | None) -> str:
    try:
        told = parsedate_to_datetime(server or "")
    except (ValueError, TypeError, OverflowError):
        return "the CRM tells no time"
    skew = abs((clock_of(settings)() - told.replace(tzinfo=told.tzinfo or UTC)).total_seconds())
    if settings.clock is None and skew > SKEW_S:
        raise UsageError(f"this machine and the CRM differ by {skew:.0f} s", hint="synchronise the clock: a birthday hangs on it")
    return f"differs from the CRM by {skew:.0f} s" if settings.clock is None else "set by CRM_COMPLIANCE_CLOCK"
