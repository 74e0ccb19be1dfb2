"""The plans that people look at now: a few of them stay open in memory."""

from threading import Lock
from time import monotonic

from jobs.plans.lines.compare import Comparison, compare
from jobs.plans.lines.view import LinesView
from jobs.ports.store.store import Store
from rules.errors import UsageError

LOOK_S = 30.0  # so often is asked whether the plans that nobody asks for are still there


class OpenedPlans:
    """For a process that answers many questions at once. A million lines take about 100 MB, so `most` is
    small."""

    def __init__(self, store: Store, most: int = 2) -> None:
        self._store, self._most = store, most
        self._views: dict[str, LinesView] = {}  # the one looked at last comes last
        self._compared: Comparison | None = None  # the last one
        self._lock, self._opening = Lock(), Lock()
        self._looked_at = monotonic()

    def of(self, plan: str) -> LinesView:
        """Return the lines of a plan, as `LinesView.of` does. Whether they are still there is asked each
        time: what has expired is gone from here as well."""
        if monotonic() - self._looked_at >= LOOK_S:
            self._drop_removed()
        if (view := self._open(plan)) is not None:
            return view
        with self._opening:  # one after the other: while a large one is read it takes several times its memory
            if (view := self._open(plan)) is not None:
                return view
            self._drop_removed()
            view = LinesView.of(self._store, plan)
            with self._lock:
                self._views[plan] = view
                while len(self._views) > self._most:
                    del self._views[next(iter(self._views))]
        return view

    def compared(self, before: str, after: str) -> Comparison:
        """Return what two plans say differently. The last comparison is kept as long as both of its plans are
        open."""
        old, new = self.of(before), self.of(after)
        kept = self._compared
        if kept is None or kept.before is not old or kept.after is not new:
            kept = self._compared = compare(old, new)
        return kept

    def _open(self, plan: str) -> LinesView | None:
        """Return the lines of a plan that is open, None where it is not. Raises LinesRemoved."""
        with self._lock:
            view = self._views.pop(plan, None)
            if view is None:
                return None
            self._views[plan] = view
        try:
            self._store.plans.pages(plan)
        except UsageError:
            self._drop_removed()
            raise
        return view

    def _drop_removed(self) -> None:
        self._looked_at = monotonic()
        for plan in list(self._views):
            try:
                self._store.plans.pages(plan)
            except UsageError:
                with self._lock:
                    self._views.pop(plan, None)
                    self._compared = None
