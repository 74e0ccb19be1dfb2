"""An organisation with tables of its own, some of which lead to units and people."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.yaml_files import read_yaml, yaml_text

TABLES = """
tables:
  cf_visit:
    set: cf_visits
    columns:
      cf_visitid: {type: guid, key: true}
      cf_name: {type: string(100), primary_name: true, pii: true}
      cf_report: {type: memo(2000), pii: true}
      cf_dossierid: {type: lookup cf_dossier, schema_name: cf_DossierId}
  cf_photo:
    set: cf_photos
    columns:
      cf_photoid: {type: guid, key: true}
      cf_name: {type: string(100), primary_name: true, pii: true}
      cf_visitid: {type: lookup cf_visit, schema_name: cf_VisitId}
  cf_caption:
    set: cf_captions
    columns:
      cf_captionid: {type: guid, key: true}
      cf_name: {type: string(100), primary_name: true, pii: true}
      cf_photoid: {type: lookup cf_photo, schema_name: cf_PhotoId}
  cf_group:
    set: cf_groups
    columns:
      cf_groupid: {type: guid, key: true}
      cf_name: {type: string(100), primary_name: true, pii: true}
  cf_album:
    set: cf_albums
    columns:
      cf_albumid: {type: guid, key: true}
      cf_name: {type: string(100), primary_name: true, pii: true}
      cf_dossierid: {type: lookup cf_dossier, schema_name: cf_DossierId}
      cf_captionid: {type: lookup cf_caption, schema_name: cf_CaptionId}
      cf_visitid: {type: lookup cf_visit, schema_name: cf_VisitId}
  cf_secret:
    set: cf_secrets
    columns:
      cf_secretid: {type: guid, key: true}
      cf_name: {type: string(100), primary_name: true, pii: true}
      cf_ficheid: {type: lookup cf_fiche, schema_name: cf_FicheId}
  post:
    set: posts
    columns:
      postid: {type: guid, key: true}
      text: {type: memo(2000), primary_name: true}
      regardingobjectid: {type: lookup cf_dossier}
relationships:
  - {name: cf_dossier_albums, parent: cf_dossier, child: cf_album, column: cf_dossierid, on_delete: cascade}
  - {name: cf_visit_albums, parent: cf_visit, child: cf_album, column: cf_visitid, on_delete: cascade}
  - {name: cf_caption_albums, parent: cf_caption, child: cf_album, column: cf_captionid, on_delete: cascade}
  - {name: cf_dossier_visits, parent: cf_dossier, child: cf_visit, column: cf_dossierid, on_delete: cascade}
  - {name: cf_visit_photos, parent: cf_visit, child: cf_photo, column: cf_visitid, on_delete: cascade}
  - {name: cf_photo_captions, parent: cf_photo, child: cf_caption, column: cf_photoid, on_delete: remove_link}
  - {name: cf_fiche_secrets, parent: cf_fiche, child: cf_secret, column: cf_ficheid, on_delete: cascade}
  - {name: cf_dossier_Posts, parent: cf_dossier, child: post, column: regardingobjectid, on_delete: no_cascade}
many_to_many:
  - {name: cf_dossier_groups, one: cf_dossier, two: cf_group}
  - {name: cf_dossier_also, one: cf_dossier, two: cf_fiche}
"""


def environment(folder: Path, columns: Mapping[str, object] = MappingProxyType({})) -> Path:
    """The organisation, with further columns of dossiers."""
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    more: dict[str, Any] = read_yaml(TABLES)
    document["tables"] |= more["tables"]
    document["tables"]["cf_dossier"]["columns"]["cf_hobby"] = {"type": "string(100)", "pii": True}
    document["tables"]["cf_dossier"]["columns"] |= columns
    document["relationships"] += more["relationships"]
    document["many_to_many"] = [*document.get("many_to_many", []), *more["many_to_many"]]
    path = folder / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path
