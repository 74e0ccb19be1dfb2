"""The command line that all tests here share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.independent.prompt import Prompt


@pytest.fixture(scope="session")
def prompt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prompt]:
    """It gets warm once for each worker."""
    made = Prompt(tmp_path_factory.mktemp("prompt"))
    yield made
    made.close()
