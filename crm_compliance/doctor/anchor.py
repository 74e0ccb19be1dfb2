"""The external checkpoint log, and who stamps checkpoints."""

import shlex
from pathlib import Path

from crm_compliance.configuration.settings import Settings
from crm_compliance.hints import in_words, with_place
from crm_compliance.host.files import refuse_unwritable, writable_by_others
from rules.errors import UsageError


def about_anchor(settings: Settings) -> str:
    """Warn of a checkpoint log or a register of erasures that others may write, or that is where the database
    is: who can write the store can write beside it too, and a log there proves nothing against them."""
    path = settings.checkpoint_log_path
    told = [f"the external checkpoint log is {path}"]
    if settings.anchor_file is None:
        told = [
            f"warning: the external checkpoint log is at its default place, {path}, beside the database: ANCHOR_FILE names a better one"
        ]
    for file in (path, settings.erasures_path):
        if writable_by_others(file):
            told.append(f"warning: others may write {file}: chmod go-w {shlex.quote(str(file))}, where its storage knows modes")
    refuse_unwritable(path, settings.erasures_path)
    if settings.timestamp_url is not None:
        told.append(_time_stamp(settings.timestamp_url, settings.timestamp_ca))
    return "\n".join(told)


def _time_stamp(url: str, ca_file: Path | None) -> str:
    """Say whether the time-stamp authority stamps; a night goes on without it, so that this is a warning."""
    from crm_compliance.keys.timestamps import fetch

    try:
        fetch(url, b"a check of the settings", ca_file)
    except UsageError as error:
        return f"warning: no time stamp on checkpoints: {with_place(str(error), error.where)}; {in_words(error.hint)}"
    return "the time-stamp authority answers"
