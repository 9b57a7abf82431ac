#!/usr/bin/env python3
"""check_kernel_symbols.py - object files compiled for one instruction set show one data table and nothing else.

A weak function (an inline of some header) in such an object may be the copy that the linker keeps for everybody, and
then runs on processors without the instruction set; a static initializer runs before the processor is asked at all.
So nm must show exactly one global symbol, it must be data, and there must be no initializer.

usage: check_kernel_symbols.py BUILD_DIR
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ISA_OBJECT = re.compile(r"_(sse\w+|avx\w*|neon\w*|sve\w*)\.cc\.o$")
DATA = set("DRBG")  # initialized, read-only, zeroed, small data


def check_object(file: Path) -> list[str]:
    """What is wrong with one object file."""
    command = ["nm", "-C", "--defined-only", str(file)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    problems: list[str] = []
    tables: list[str] = []
    for line in output.splitlines():
        _, kind, name = line.split(maxsplit=2)
        if name.startswith(("_GLOBAL__sub_I", "__static_initialization")):
            problems.append(f"runs code before main: {name}")
        elif kind in DATA:
            tables.append(name)
        elif kind.isupper() or kind in "uvw":
            problems.append(f"shows {name} (nm: {kind})")
    if len(tables) != 1:
        problems.append(f"shows {len(tables)} data tables, expected 1: {', '.join(tables)}")
    return problems


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD_DIR")
    objects = sorted(file for file in Path(sys.argv[1]).rglob("*.cc.o") if ISA_OBJECT.search(file.name))
    failed = 0
    for file in objects:
        problems = check_object(file)
        failed += bool(problems)
        for problem in problems:
            print(f"{file.name}: {problem}")
    print(f"kernel objects: {len(objects) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
