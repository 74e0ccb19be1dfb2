"""How many rows were read, as they are read."""

from jobs.ports.context import Progress


class RowCounts:
    """Counts the rows of each kind, and of each table, as they are read, and reports progress."""

    def __init__(self, progress: Progress) -> None:
        self.rows: dict[str, int] = {}
        self.tables: dict[str, int] = {}
        self._progress = progress

    def __call__(self, stage: str, done: int, total: int | None = None) -> None:
        self.rows[stage] = done
        self._progress(stage, done, total)
