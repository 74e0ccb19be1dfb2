"""What crosses the rooms: whole nights on the emulator."""

from tests.azurite import blob_service, container, service
from tests.drivers.attacking import attacked
from tests.drivers.fixtures import database_file, emulator, make_night, naps, night, short_way

__all__ = ["attacked", "blob_service", "container", "database_file", "emulator", "make_night", "naps", "night", "service", "short_way"]
