"""What a run of many groups looks at for each of them."""

from collections.abc import Iterator
from typing import Any

import pytest

from jobs.model.run import RunState
from jobs.runs.journal import Journal
from tests.drivers.holding import place
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
        kept = []
        for _ in range(fiches):
            night.recording(LONG_AGO, fiche=night.fiche("social_card", spoken=LONG_AGO))
            kept.append(night.fiche("social_card", spoken=LONG_AGO))
            night.donation(donor := night.contact())
            for contact in (donor, night.contact()):
                night.party(contact, "reporter", fiche=kept[-1])
        plan = night.plan()
        for fiche in kept:
            place(night, "cf_fiche", fiche)
        Looked.through = 0
        run = night.apply(plan)
        assert (run.state, run.counts["skipped"]) == (RunState.DONE, {"HOLD_JUDICIAL": fiches, "STILL_REFERRED": 2 * fiches})
        return Looked.through

    assert looks(1) == looks(6)
