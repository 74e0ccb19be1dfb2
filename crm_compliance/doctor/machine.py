"""What of this machine nights need: packages that are ours, and room."""

import stat
from contextlib import suppress
from pathlib import Path
from shlex import quote

from crm_compliance.configuration.settings import Settings
from crm_compliance.host.files import LEAST_BYTES, DiskProblem, disk_of, free_bytes, open_to_everybody
from crm_compliance.host.ownership import HINT, strangers
from crm_compliance.store.sql.database import parse
from crm_compliance.store.sql.problems import StoreUnusable
from rules.errors import UsageError

MB, GB = 10**6, 10**9
LITTLE_BYTES = GB  # plans of a year of nights take less; backups beside them take more


def about_packages() -> str:
    """Check for packages of these names from PyPI: an environment with one would run foreign code."""
    if found := strangers():
        raise UsageError(f"other software owns packages of ours: {'; '.join(found)}", hint=HINT)
    return "no package name collides"


def about_files(settings: Settings) -> str:
    """Warn of files and folders by which anybody with an account on this machine could have rows erased, or
    become this application. Empty where there are none."""
    deciding = [each for file in settings.deciding_files for each in (file, *sorted(file.glob("*")))]
    # Whoever may write a folder puts another file in the place of one; but not in a sticky one, as /tmp is.
    folders = {file.absolute().parent: None for file in settings.deciding_files}
    written = [file for file in deciding if open_to_everybody(file, 2)]
    written += [each for each in folders if open_to_everybody(each, 2) and not each.stat().st_mode & stat.S_ISVTX]
    read = [file for file in settings.secret_files if open_to_everybody(file, 4)]
    told = [f"anybody here may write {file}, and so decide what goes: chmod go-w {quote(str(file))}" for file in written]
    told += [f"anybody here may read the secret in {file}: chmod 600 {quote(str(file))}, and renew it" for file in read]
    return "\n".join(f"warning: {each}" for each in told)


def about_disks(settings: Settings) -> str:
    """Say how much room there is where nights write, each disk once."""
    places = [settings.data_dir.absolute(), settings.erasures_path, settings.checkpoint_log_path]
    with suppress(StoreUnusable):  # the check of the store tells
        url = parse(settings.store_url)
        places += [Path(url.database)] if url.get_backend_name() == "sqlite" and url.database else []
    told: dict[int, str] = {}
    for place in places:
        if (free := free_bytes(place)) < LEAST_BYTES:
            raise DiskProblem(
                f"the disk of {place} has {free / MB:.0f} MB left: too little for a night", hint="make room", where=str(place)
            )
        little = "warning: little room: " if free < LITTLE_BYTES else ""
        told.setdefault(disk_of(place), f"{little}{free / GB:.1f} GB are free at {place}")
    return "\n".join(told.values())
