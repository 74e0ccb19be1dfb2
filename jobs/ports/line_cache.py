"""Lines of plans in columns, kept from one look to the next. Losing them costs reading the pages again."""

from typing import Protocol


class LineCache(Protocol):
    """What is kept was made from the pages of a plan with this digest. Nothing is ever applied from it."""

    def load(self, plan: str, digest: str) -> bytes | None:
        """Return what was kept; None where it is missing, damaged, or of another digest."""

    def keep(self, plan: str, digest: str, content: bytes) -> None:
        """Replace what was kept of this plan. A full disk is no error: then nothing is kept."""

    def plans(self) -> list[str]:
        """Return the ids of the plans of which something is kept."""

    def drop(self, plan: str) -> None:
        """Keep nothing of this plan any more."""


class NothingKept:
    """Keeps nothing."""

    def load(self, plan: str, digest: str) -> bytes | None:
        return None

    def keep(self, plan: str, digest: str, content: bytes) -> None: ...

    def plans(self) -> list[str]:
        return []

    def drop(self, plan: str) -> None: ...


NO_LINE_CACHE = NothingKept()
