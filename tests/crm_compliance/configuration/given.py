"""Settings as a test gives them: variables of the environment, and a file."""

from pathlib import Path

import pytest

from crm_compliance.configuration.settings import PREFIX, Settings, load_settings
from rules.errors import UsageError

EMULATOR = "http://127.0.0.1:8765/api/data/v9.2/"
REAL = "https://org.crm4.dynamics.com/api/data/v9.2/"
CANARY = "hunter2-canary"


def settings(**variables: str) -> Settings:
    return load_settings(None, {f"{PREFIX}{name}": value for name, value in variables.items()})


def refusal(**variables: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        settings(**variables)
    assert caught.value.exit_code == 2
    assert CANARY not in f"{caught.value} {caught.value.hint} {caught.value.where}"
    assert caught.value.__cause__ is None  # a cause would carry the values into a log
    return caught.value


def config(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file
