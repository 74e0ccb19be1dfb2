"""The number of rows from which a bulk-delete job is quicker than batches, as measured in this CRM. Pure:
seconds are given, not measured here.

Batches cost a fixed time for each row. A job costs a start and then a time for each row. Both are fitted to
what jobs have taken, and later jobs count more. Until there are measurements, the figures are those of the
reference, section 6.3: 25 rows take 20 s one by one and 50 s as a job, 500 rows 500 s and 150 s."""

BATCH_ROW_S = 1.0  # 500 rows in 500 s
FIRST_JOBS = ((25, 50.0), (500, 150.0))
TRIAL_ROWS = 500  # a first job is a trial, so it is worth it only where much can be won ("some hundreds of rows", section 6.3)
TRIAL_FACTOR = 2.0  # how much slower than the batches that were measured a job may look by figures from elsewhere, and still be tried
FADING = 0.6  # what an older job counts beside the next one
LEARNING = 0.4  # what a newer measurement of batches counts


class Crossover:
    """Learns what both ways cost and says which is expected to be quicker."""

    def __init__(self) -> None:
        self._batch_row_s = BATCH_ROW_S
        self.is_measured = False  # whether batches were
        self._jobs = 0
        # Weighted sums for a line through (rows, seconds): weight, rows, rows squared, seconds, rows times
        # seconds.
        self._sums: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)
        for rows, seconds in FIRST_JOBS:
            self._add(rows, seconds, fading=1.0)

    def saw_batches(self, rows: int, seconds: float) -> None:
        """Learn from rows that were deleted in batches."""
        if rows <= 0:
            return
        each_s = max(seconds, 0.0) / rows
        self._batch_row_s = self._batch_row_s + LEARNING * (each_s - self._batch_row_s) if self.is_measured else each_s
        self.is_measured = True

    def saw_job(self, rows: int, seconds: float) -> None:
        """Learn from a job, from its request to its end."""
        if rows > 0:
            self._jobs += 1
            self._add(rows, max(seconds, 0.0), fading=FADING)

    def batches_s(self, rows: int) -> float:
        """Return how long so many rows are expected to take in batches."""
        return self._batch_row_s * rows

    def job_s(self, rows: int) -> float:
        """Return how long so many rows are expected to take as a job."""
        start_s, row_s = self._line()
        return start_s + row_s * rows

    def prefers_job(self, rows: int) -> bool:
        """Return whether a job is expected to be quicker for so many rows, or worth a trial."""
        if self._jobs:
            return rows > 0 and self.job_s(rows) < self.batches_s(rows)
        return rows >= TRIAL_ROWS and self.job_s(rows) < TRIAL_FACTOR * self.batches_s(rows)

    @property
    def rows(self) -> int | None:
        """The least number of rows for which a job is expected to be quicker; None where it never is."""
        start_s, row_s = self._line()
        gain_s = self._batch_row_s - row_s
        return int(start_s / gain_s) + 1 if gain_s > 0 else None

    def _add(self, rows: int, seconds: float, *, fading: float) -> None:
        new = (1.0, float(rows), float(rows) ** 2, seconds, rows * seconds)
        self._sums = tuple(fading * old + each for old, each in zip(self._sums, new, strict=True))

    def _line(self) -> tuple[float, float]:
        """Start and seconds a row by least squares, neither below zero."""
        weight, rows, squares, seconds, products = self._sums
        spread = weight * squares - rows * rows
        if spread <= 1e-9 * weight * squares:  # jobs of one size only: a start of its own cannot be told
            return 0.0, products / squares
        row_s = (weight * products - rows * seconds) / spread
        if row_s < 0:
            return seconds / weight, 0.0
        start_s = (seconds - row_s * rows) / weight
        return (start_s, row_s) if start_s >= 0 else (0.0, products / squares)
