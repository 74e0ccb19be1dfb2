"""The blocks that a compiled answer names and nobody has set aside. Whether a release is let go is decided in
`jobs/requests/answer/release_check.py`."""

import msgspec

from jobs.model.request import COMPILATION, SubjectRequest
from jobs.ports.store.store import Store
from jobs.register.overrides import overridden
from rules.decoders import decoder_of


class _Blocks(msgspec.Struct, frozen=True):
    """The one field of a compilation that is looked at here."""

    blocks: tuple[str, ...] = ()


def blocks_of(store: Store, request: SubjectRequest) -> tuple[str, ...]:
    """Return the codes of what stops a release and was not set aside; none of a neutral answer, nor of one
    that was taken away: it may have been neutral (SUS-07)."""
    part = store.requests.part(request.id, COMPILATION) if request.answer not in ("", "neutral") else None
    if part is None:
        return ()
    aside = overridden(request)
    return tuple(code for code in decoder_of(_Blocks).decode(part).blocks if code not in aside)
