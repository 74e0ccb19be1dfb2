"""What a run of many groups looks at for each of them."""

from collections.abc import Iterator
from typing import Any

import pytest

from jobs.model.run import RunState
from jobs.runs.journal import Journal
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO


class Looked(dict[Any, Any]):
    """A journal that counts how often all of it is gone through."""

    through = 0

    def __iter__(self) -> Iterator[Any]:
        Looked.through += 1
        return super().__iter__()

    def items(self) -> Any:
        Looked.through += 1
        return super().items()

    def values(self) -> Any:
        Looked.through += 1
        return super().values()


def test_no_group_goes_through_the_whole_journal(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first night of an organisation that never erased anything has thousands of groups."""
    begin = Journal.__init__

    def watched(journal: Journal, *given: Any) -> None:
        begin(journal, *given)
        journal.actions = Looked(journal.actions)

    monkeypatch.setattr(Journal, "__init__", watched)
    monkeypatch.setattr(Journal, "group", 1)

    def looks(fiches: int) -> int:
        for _ in range(fiches):
            night.recording(LONG_AGO, fiche=night.fiche("social_card", spoken=LONG_AGO))
        Looked.through = 0
        assert night.apply(night.plan()).state is RunState.DONE
        return Looked.through

    assert looks(1) == looks(6)
