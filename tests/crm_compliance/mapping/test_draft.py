"""mapping draft, as it is typed: no file is replaced, and categories are those of the schedule, called as the
organisation calls them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from connectors.dynamics.mapping.loader import parse_mapping
from tests.connectors.dynamics.draft.drafting import DATA, SECOND, drafted, keys, organisation
from tests.drivers.typist import Typist


def test_a_file_that_is_there_is_not_replaced(typist: Typist, tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text("mine", "utf-8")
    assert typist.refused("mapping", "draft", "--output", path, code=2)["code"] == "usage"
    assert path.read_text("utf-8") == "mine"


def test_a_crm_that_cannot_be_asked_leaves_no_file(typist: Typist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.dynamics.pace.backoff.BACKOFF_CAP_S", 0.0)
    typist.set(CRM_URL="http://127.0.0.1:9/api/data/v9.2/")
    assert typist.type("mapping", "draft", "--output", tmp_path / "draft.yaml", "--json").code == 4
    assert not (tmp_path / "draft.yaml").exists()


def test_from_nothing_to_a_first_dry_run(typist_at: Callable[..., Typist], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The steps of docs/first-run.md, of an organisation that this product has not seen."""
    with organisation(typist_at, SECOND) as typist:
        url = typist.settings.needed_crm_url
        typist.unset("CRM_URL", "DATA_DIR", "CLOCK")
        mapping, settings = tmp_path / "mapping.yaml", tmp_path / "s.toml"
        made = typist.type("init", "--output", settings, "--crm-url", url, "--data-dir", tmp_path / "d", "--mapping", mapping)
        assert made.code == 0
        monkeypatch.setenv("CRM_COMPLIANCE_CONFIG", str(settings))
        assert typist.type("doctor").code == 2  # there is no mapping yet
        assert typist.type("mapping", "draft", "--output", mapping).code == 0
        assert typist.type("mapping", "check").code == 0
        assert typist.type("doctor").code == 0
        assert typist.ask("plan", "--output", tmp_path / "plan.html")["units"] == 0
        assert (tmp_path / "plan.html").exists()


def test_a_category_is_told_by_the_words_of_the_organisation(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """A schedule of one's own has rows, and the organisation file what it calls its categories; of both the
    product knows none by itself."""
    told = organisation_file(tmp_path, {"pesten": dict.fromkeys(("nl", "fr", "de", "en"), "Nog niet duidelijk")})
    with organisation(typist_at, SECOND) as typist:
        typist.set(POLICY=str(DATA / "second-policy.yaml"), ORGANISATION=str(told))
        _, text = drafted(typist, tmp_path)
        assert {number for (_, _, number), key in keys(parse_mapping(text, "m")).items() if key == "pesten"} == {912340033}


def organisation_file(folder: Path, values: dict[str, dict[str, str]]) -> Path:
    """The organisation file of the second organisation, with what it calls some of its values."""
    document = YAML(typ="safe").load((DATA / "second-organisation.yaml").read_text("utf-8"))
    document.setdefault("words", {})["value"] = values
    path = folder / "organisation.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(document, file)
    return path


def test_only_categories_of_the_schedule_are_drafted(typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    """No key of another schedule, though an option is called as one is there."""
    with organisation(typist_at, SECOND) as typist:
        typist.set(POLICY=str(DATA / "second-policy.yaml"))
        _, text = drafted(typist, tmp_path)
    drawn = {key for (_, name, _), key in keys(parse_mapping(text, "m")).items() if name == "categories"}
    assert drawn <= {"pesten", "doorverwezen"}
    assert "# keys: doorverwezen, pesten" in text
    assert "Weglopen" in text
