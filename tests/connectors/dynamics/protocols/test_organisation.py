"""Whether a mapping fits an organisation is told before anything is read by it, or written."""

from pathlib import Path

from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, running
from tests.connectors.dynamics.protocols.organisations import client, environment_file


def test_the_reference_mapping_fits_the_reference_environment(shared: RunningEmulator) -> None:
    with client(shared) as connector:
        assert connector.check() == []
        assert connector.stats.requests < 40


def test_a_column_that_cannot_be_emptied_is_told_before_anything_is_written(tmp_path: Path) -> None:
    """Section 5.3: the techniques are checked against the metadata of the columns."""
    text = (Path(environment_file()).read_text("utf-8")).replace("birthdate: {type: date,", "birthdate: {type: date, required: true,")
    changed = tmp_path / "environment.yaml"
    changed.write_text(text, encoding="utf-8")
    with running(environment=changed) as emulator, client(emulator) as connector:
        errors = [finding.message for finding in connector.check() if finding.is_error]
    assert errors == ["contact.birthdate cannot be masked: null leaves the column empty, and the CRM requires a value."]


def test_a_column_under_column_security_is_refused_unless_it_is_known_to_be_readable(tmp_path: Path) -> None:
    """Who may not read it sees it empty and gets no error: a hold would be overlooked."""
    text = Path(environment_file()).read_text("utf-8")
    secured = tmp_path / "environment.yaml"
    secured.write_text(text.replace("cf_legalhold: {type: bool", "cf_legalhold: {secured: true, type: bool"), encoding="utf-8")
    readable = REFERENCE.read_text("utf-8").replace("    table: cf_dossier\n", "    table: cf_dossier\n    readable: [legal_hold]\n")
    assert secured.read_text("utf-8") != text
    assert readable != REFERENCE.read_text("utf-8")
    with running(environment=secured) as emulator:
        with client(emulator) as connector:
            (error,) = [finding.message for finding in connector.check() if finding.is_error]
        with client(emulator, mapping_text=readable) as connector:
            assert [finding for finding in connector.check() if finding.is_error] == []
    assert error.startswith("cf_dossier.cf_legalhold is secured: it looks empty to who may not read it.")
    assert error.endswith("list legal_hold under readable.")
