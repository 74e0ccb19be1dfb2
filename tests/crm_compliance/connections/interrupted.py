"""A command whose workers are processes, as it is interrupted."""

import sys
from contextlib import closing

from crm_compliance.configuration.settings import Settings
from crm_compliance.connections.worker_pool import Pool, workers_of
from tests.crm_compliance.connections.worker_tasks import held

if __name__ == "__main__":
    pool = workers_of(Settings(workers="processes"))
    assert isinstance(pool, Pool)
    try:
        with closing(pool):
            list(pool.each(held, [(number,) for number in range(4)]))
    except KeyboardInterrupt:
        sys.exit(130)
