"""Where people cannot be searched for in this organisation (EXP-03)."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from connectors.interface.connector import Connector
from connectors.interface.remains import Reach, ResidualKind
from connectors.interface.rows import Among
from jobs.ports.context import JobContext
from jobs.reading.decoy_reads import NOBODY
from jobs.requests.search.documents import TABLE, documents_not_searched
from rules.model.personal_records import (
    FullEmail,
    FullNote,
    FullRecording,
)

AT_ONCE = 4  # reads; the parallelism that the service itself hints at

ELSEWHERE = (ResidualKind.BIN, ResidualKind.RETAINED)


def places_not_searched(
    context: JobContext, reached: Mapping[tuple[ResidualKind, str], Collection[Reach]] | None = None
) -> tuple[str, ...]:
    """Return codes for where people cannot be searched for in this organisation, for any person
    (docs/search.md). The codes are the same for everybody, so that the list of a neutral answer reveals
    nothing (SUS-04). `reached` is what a search has met in the recycle bin and in long-term retention, by
    kind; for kinds of which it says nothing they are looked into here. Raises ConnectorError: whether the
    recycle bin or another place can be searched cannot be determined now."""
    connector = context.connector
    places = ["backups"]
    places += connector.copies if connector.copies is not None else ["copies"]
    kinds = connector.all_kinds
    for word, kind in kinds.items():
        if not connector.has(kind.full):
            places.append(f"kind:{word}")
            continue
        mapped = connector.fields(kind.full)
        places += [f"column:{word}.{name}" for name in (*kind.texts, *kind.contents) if name not in mapped]
    places += _unread_contents(connector, has_stores=bool(context.objects))
    met = reached or {}
    met = {**met, **_look_into(connector, without=met.keys())}
    places += [residual.value for residual in ELSEWHERE if any(Reach.NOT_REACHABLE in met[residual, word] for word in kinds)]
    places += [f"column:{place}" for place in connector.unsearched_columns()]
    tables = [f"table:{name}" for name in connector.data_map().unsearched_tables]
    documents = documents_not_searched(context, tables)
    places += [name for name in tables if name != TABLE or name in documents]
    places += documents
    if connector.residual_data(ResidualKind.HISTORY, ()).reach is not Reach.NOT_KEPT:
        places.append("audit_history")
    return tuple(dict.fromkeys(places))


def _look_into(connector: Connector, without: Collection[tuple[ResidualKind, str]]) -> dict[tuple[ResidualKind, str], list[Reach]]:
    """Return what is met in each place where rows are kept elsewhere, by kind; some are passed over."""
    looks = [(residual, kind) for residual in ELSEWHERE for word, kind in connector.all_kinds.items() if (residual, word) not in without]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="search") as threads:
        found = threads.map(lambda look: connector.binned_or_retained(look[0], look[1].full, (), Among("id", [NOBODY])), looks)
        return {(residual, kind.word): [each.reach] for (residual, kind), each in zip(looks, found, strict=True)}


def _unread_contents(connector: Connector, *, has_stores: bool) -> list[str]:
    """List contents that are handed over as they are, and in which nobody is looked for; and activities of
    kinds that are not mapped. What this CRM has none of is not a gap."""
    places = []
    if connector.has(FullRecording):
        places.append("recordings_audio")
        if not has_stores and "storage_uri" in connector.fields(FullRecording):
            places.append("external_storage")
    if connector.has(FullNote) or any(kind.contents for kind in connector.all_kinds.own):
        places.append("attachments_content")
    if connector.has(FullEmail) and connector.has_email_files():
        places.append("email_attachments")
    if connector.has_other_activities():
        places.append("other_activities")
    return places
