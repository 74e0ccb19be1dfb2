"""The keys of this installation."""

from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import DiskProblem
from crm_compliance.keys.key_file import KeyKind
from crm_compliance.keys.key_ring import KeyRing, KeysMissing
from crm_compliance.keys.single_keys import memory_key
from crm_compliance.keys.store_and_keys import remnants
from crm_compliance.store.sql.problems import StoreUnusable
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.keys import register_key
from jobs.ledger.entries import StoreAltered


def about_keys(settings: Settings) -> str:
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
