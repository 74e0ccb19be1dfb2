"""An emulator in a process of its own."""

import subprocess
import sys

READY = "emulator ready "


class Served:
    """One `emulator serve`; the address is what it prints."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "crm_compliance", "emulator", "serve", "--port", "0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.line = self.process.stdout.readline()
        self.url = self.line.removeprefix(READY).strip()

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=10)
