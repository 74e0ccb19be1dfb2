"""What others may read or write is refused like keys are, with the command that closes it."""

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
