"""What a CRM says of its tables is asked without sockets: the subject is what is made of it."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def short_way(without_sockets: None) -> None:
    """Emulators are asked without sockets."""
