"""A night whose recordings may lie in a folder beside the CRM."""

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.storage.local import LocalFolder
from jobs.ports.context import JobContext
from tests.drivers.night import Night


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "objects").mkdir()
    return tmp_path / "objects"


@pytest.fixture
def context(night: Night, folder: Path) -> JobContext:
    return replace(night.context, objects=(LocalFolder(folder),))
