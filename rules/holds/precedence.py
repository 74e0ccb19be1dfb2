"""The table of precedence: of several reasons that keep a unit, which comes first. The order is that in which
`Reason` of rules/model/decisions.py names them; in columns it is kept by `reasons_in` of rules/law/bits.py.
What a granted erasure may overrule is in erasure_rulings.py. Source: table 4.2."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from rules.model.decisions import Reason

RANKS: Final[Mapping[Reason, int]] = MappingProxyType({reason: rank for rank, reason in enumerate(Reason, start=1)})
HOLD_REASONS: Final = frozenset(reason for reason in Reason if reason.name.startswith("HOLD_"))


def ranked(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return reasons by rank, the strongest first, each once."""
    return tuple(sorted(set(reasons), key=RANKS.__getitem__))
