"""Workers of a real Dask cluster on this machine: each part once, in order, whoever dies."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.connections import worker_pool
from crm_compliance.connections.worker_pool import Pool, WorkersLost, workers_of
from jobs.ports.workers import HERE
from tests.crm_compliance.connections.worker_tasks import PARTS, doubled, killed


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A real scheduler with two workers in processes of their own."""
    from distributed import LocalCluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of dask's own, about ports and shutting down
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, scheduler_port=0) as found:
            yield found


@pytest.fixture
def pool(cluster: Any) -> Iterator[Pool]:
    found = workers_of(Settings(workers=cluster.scheduler_address, worker_count=2))
    assert isinstance(found, Pool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield found
        found.close()


def test_a_cluster_makes_what_this_process_makes(pool: Pool) -> None:
    pool.ready()
    assert list(pool.each(doubled, PARTS)) == list(HERE.each(doubled, PARTS))


def test_a_part_whose_worker_in_a_cluster_was_killed_is_worked_on_again(pool: Pool, tmp_path: Path) -> None:
    made = list(pool.each(killed, [(number, str(tmp_path), 1) for number in range(9)]))
    assert len(list(tmp_path.iterdir())) == 1
    assert made == [2 * number for number in range(9)]


def test_a_cluster_without_workers_is_told_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr(worker_pool, "_PATIENCE", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with LocalCluster(n_workers=0, dashboard_address=None, scheduler_port=0) as empty:
            found = workers_of(Settings(workers=empty.scheduler_address, worker_count=2))
            with pytest.raises(WorkersLost, match="no worker there"):
                found.ready()
