"""The plans that people look at now: a few of them stay open in memory."""

from threading import Lock

from jobs.plans.lines.compare import Comparison, compare
from jobs.plans.lines.view import QUICK, LinesView
from jobs.ports.line_cache import NO_LINE_CACHE, LineCache
from jobs.ports.store import Store
from rules.errors import UsageError


class OpenedPlans:
    """For a process that answers many questions. A million lines take about 100 MB, so `most` is small."""

    def __init__(self, store: Store, cache: LineCache = NO_LINE_CACHE, most: int = 2) -> None:
        self._store, self._cache, self._most = store, cache, most
        self._views: dict[str, LinesView] = {}  # the one looked at last comes last
        self._compared: Comparison | None = None  # the last one
        self._lock = Lock()

    def of(self, plan: str) -> LinesView:
        """Return the lines of a plan, as `LinesView.of` does. Whether those that are open are still there is
        asked each time: what has expired is gone from here as well."""
        with self._lock:
            for other in list(self._views):
                try:
                    self._store.plans.pages(other)
                except UsageError:
                    del self._views[other]
            view = self._views.pop(plan, None) or LinesView.of(self._store, plan, self._cache)
            self._views[plan] = view
            while len(self._views) > self._most:
                del self._views[next(iter(self._views))]
        return view

    def takes_long(self, plan: str) -> bool:
        """Return whether opening a plan takes longer than somebody waits for: it is large, and neither open
        nor kept in columns. Raises UsageError: no such plan; LinesRemoved."""
        if self._store.plans.get(plan).units <= QUICK or plan in self._views or plan in self._cache.plans():
            return False
        self._store.plans.pages(plan)
        return True

    def compared(self, before: str, after: str) -> Comparison:
        """Return what two plans say differently. The last comparison is kept as long as both of its plans are
        open."""
        old, new = self.of(before), self.of(after)
        kept = self._compared
        if kept is None or kept.before is not old or kept.after is not new:
            kept = self._compared = compare(old, new)
        return kept
