"""What it costs to start a command: CPU seconds, the median of several runs, beside Python itself; also of
another checkout.

`python -m benchmarks.startup [--runs 7] [--base FOLDER]`; FOLDER holds the packages of an earlier version.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMANDS = (("--help",), ("policy", "show", "--json"), ("plans", "list", "--json"), ("history", "list"), ("requests", "list", "--json"))


def cost(command: list[str], folder: Path, data: Path) -> float:
    """The CPU seconds of one process, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # An installed product has its byte code beside it, whatever the shell of the developer says.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CRM_COMPLIANCE_", "PYTHON"))}
    environment |= {"CRM_COMPLIANCE_DATA_DIR": str(data)}
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--base", type=Path, help="a folder with the packages of another version, to compare with")
    given = parser.parse_args()
    folders = {"now": ROOT} | ({"base": given.base.resolve()} if given.base else {})
    with tempfile.TemporaryDirectory() as scratch:
        rows: dict[str, dict[str, list[float]]] = {}
        for _ in range(given.runs + 1):  # the first run makes tables and byte code
            rows.setdefault("python -c pass", {}).setdefault("now", []).append(
                cost([sys.executable, "-c", "pass"], ROOT, Path(scratch) / "now")
            )
            for words in COMMANDS:
                for name, folder in folders.items():  # in turns: a busy machine is busy for both
                    seconds = cost([sys.executable, "-m", "crm_compliance", *words], folder, Path(scratch) / name)
                    rows.setdefault(" ".join(words), {}).setdefault(name, []).append(seconds)
    medians = {row: {name: statistics.median(found[1:]) for name, found in each.items()} for row, each in rows.items()}
    python = medians["python -c pass"]["now"]
    for row, each in medians.items():
        told = f"{row:26} {each['now']:.3f} s, {each['now'] - python:.3f} s beyond Python, {each['now'] / python:.0f} times Python"
        print(told + (f"; base {each['base']:.3f} s, now {each['now'] / each['base']:.2f} of it" if "base" in each else ""))


if __name__ == "__main__":
    main()
