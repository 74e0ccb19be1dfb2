"""What others may read or write is refused like keys are, with the command that closes it."""

import os

import pytest

from tests.drivers.typist import Typist


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o750, 0o701])
def test_a_data_folder_that_others_may_enter_is_refused(typist: Typist, mode: int) -> None:
    folder = typist.folder / "data"
    typist.ask("plans", "list")
    folder.chmod(mode)
    for words in (("plans", "list"), ("keys", "show"), ("plan",), ("requests", "list")):
        error = typist.refused(*words, code=2)
        assert (error["code"], error["where"]) == ("open_to_others", str(folder))
        assert error["hint"].startswith(f"chmod 700 {folder};")
    folder.chmod(0o700)
    typist.ask("plans", "list")


@pytest.mark.parametrize("mode", [0o666, 0o644, 0o640])
@pytest.mark.parametrize("name", ["state.db", "elsewhere.db"])
def test_a_database_that_others_may_read_is_refused(typist: Typist, name: str, mode: int) -> None:
    folder = typist.folder / ("data" if name == "state.db" else ".")
    file = (folder / name).resolve()
    if name != "state.db":
        typist.set(DATABASE_URL=f"sqlite:///{file}")
    typist.ask("plans", "list")
    file.chmod(mode)
    error = typist.refused("plans", "list", code=2)
    assert (error["code"], error["where"]) == ("open_to_others", str(file))
    assert error["hint"].startswith(f"chmod 600 {file};")
    assert not typist.ask("doctor", code=2)["ok"]
    file.chmod(0o600)
    typist.ask("plans", "list")


def test_root_makes_nothing_in_the_data_folder_of_another_user(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service of that user could not write it."""
    folder = typist.folder / "data"
    typist.ask("plans", "list")
    is_root = os.getuid() == 0
    if is_root:
        os.chown(folder / "keys", 1234, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    error = typist.refused("plan", code=2)
    owner = (folder / "keys").stat().st_uid
    assert (error["code"], error["where"], f"'#{owner}'" in error["hint"]) == ("disk", str(folder), True)
    if is_root:  # what root has made itself goes on, whoever the folder is
        os.chown(folder / "keys", 0, -1)
        os.chown(folder, 1234, -1)
    else:
        monkeypatch.setattr(os, "geteuid", os.getuid)
    typist.ask("plan")
