"""The store, and the nights that it knows of."""

from sqlalchemy import URL

from crm_compliance.configuration.settings import Settings
from crm_compliance.hints import in_words
from crm_compliance.host.files import refuse_unwritable
from crm_compliance.keys.checkpoint_signer import audit_store
from crm_compliance.keys.key_file import KeyUnusable
from crm_compliance.keys.key_ring import KeysMissing
from crm_compliance.proof import refuse_broken, verify_ledger
from crm_compliance.store.sql.database import parse
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.schedule import calendar_of, policy_of
from crm_compliance.wiring.store import store_of
from jobs.checks.same_zone import refuse_other_zone
from jobs.model.last_verification import Verifier
from jobs.model.plan import Kind
from jobs.plans.alarms.earlier_plans import EarlierPlans
from jobs.register.dates import OVERDUE, has_gone_overdue
from rules.dates.instants import instant
from rules.hints import hint_to
from rules.model.crm_addresses import on_this_machine


def about_store(settings: Settings) -> str:
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
        return f"runs: {len(store.runs.all())}; ledger entries: {audit.verdict.entries}, {told}{read_along(parse(settings.store_url))}"


def read_along(url: URL) -> str:
    """Warn of a database elsewhere that is not asked who it is; empty where nobody is in between. Its client
    would go on without TLS, and tell its password to whoever answers."""
    said = url.normalized_query
    hosts = [host for host in (url.host, *said.get("host", ())) if host and not host.startswith("/")]  # a folder is of this machine
    elsewhere = [host for host in hosts if not on_this_machine(f"https://{f'[{host}]' if ':' in host else host}/")]
    if not elsewhere or said.get("sslmode", ("",))[-1] == "verify-full":
        return ""
    return (
        "\nwarning: whoever is between here and the database may read along, and ask for its password: "
        "let DATABASE_URL end in ?sslmode=verify-full&sslrootcert=system, or name the file of its CA"
    )


def about_nights(settings: Settings) -> str:
    """Warn of what happens unseen: the kill switch, kinds of which no run was completed for long, subject
    requests that are late."""
    clock, policy = clock_of(settings), policy_of(settings)
    calendar = policy.calendar
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
