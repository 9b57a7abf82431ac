#!/usr/bin/env python3
"""check_includes.py - holds the table of ARCHITECTURE.md ("what may include what") against every #include.

The table is the law; this script only reads it, so that the two cannot differ.  It also asks that includes are written
from src/ (outside of it also from the root, or a neighbour without a folder), that a file's own header comes first (which
proves that the header stands alone), that outside libraries stay in the folders the table gives them, and that files
compiled for one instruction set pull in no inline functions of the C++ library.  It does not look for missing or unused
includes.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SOURCES = ("*.cc", "*.h", "*.c")
# Where code lies, relative to the root.
TREES = ("src", "include", "apps", "tests", "bench", "fuzz", "examples")

# Headers of the system that any file may use: C++ (no dot, no slash), C and POSIX, Linux.
SYSTEM = re.compile(
    r"[a-z0-9_]+|(assert|ctype|errno|fcntl|fenv|float|limits|locale|malloc|math|poll|pthread|pwd|sched|setjmp|signal|spawn|stdarg"
    r"|stdbool|stddef|stdint|stdio|stdlib|string|strings|termios|time|unistd|dlfcn|dirent)\.h|(sys|linux)/\w+\.h"
)
# Outside libraries: the word used in the table, and what their headers look like.
LIBRARIES = {
    "nlohmann-json": r"nlohmann/.*",
    "CLI11": r"CLI/.*",
    "spdlog": r"(spdlog|fmt)/.*",
    "libsndfile": r"sndfile\.h(h)?",
    "soxr": r"soxr.*\.h",
    "mpg123": r"mpg123\.h",
    "vorbis": r"vorbis/.*",
    "lame": r"lame/.*",
    "vo-aacenc": r"vo-aacenc/.*",
    "libarchive": r"archive(_entry)?\.h",
    "yaml-cpp": r"yaml-cpp/.*",
    "ICU": r"unicode/.*",
    "zlib": r"zlib\.h",
    "Arrow": r"(arrow|parquet)/.*",
    "libcrypto": r"openssl/.*",
    "intrinsics": r"(x86|imm|amx|.mm)intrin\.h|arm_neon\.h|cpuid\.h|(sys|asm)/(auxv|hwcap|prctl)\.h",
    "CUDA": r"cu(da|blas|dnn).*\.h",
    "LibTorch": r"(torch|ATen|c10)/.*",
    "HTTP": r"(httplib|boost|microhttpd|uWebSockets).*",
    "gtest": r"g(test|mock)/.*",
    "benchmark": r"benchmark/.*",
}
TEST_FILE = re.compile(r"_test\.cc$|^(test|golden)_\w+\.(h|cc)$")  # tests, and what they share
ISA_FILE = re.compile(r"_(sse\w+|avx\w*|neon\w*|sve\w*)\.cc$")
ISA_MAY_INCLUDE = re.compile(r"cstddef|cstdint|cmath|.*intrin\.h|arm_\w+\.h|kani/backend/cpu/kernels/.*\.h")


@dataclass
class Area:
    """One row of the table: a folder (or file) with the areas and libraries it may include."""

    path: str
    areas: set[str] = field(default_factory=set)
    libraries: set[str] = field(default_factory=set)


def read_table(document: Path) -> dict[str, Area]:
    """The rows between the marks `<!-- includes -->` and `<!-- /includes -->`, by path."""
    text = document.read_text(encoding="utf-8")
    match = re.search(r"<!-- includes -->(.*?)<!-- /includes -->", text, re.DOTALL)
    if match is None:
        sys.exit(f"{document.name}: the marked table of includes is missing")
    areas: dict[str, Area] = {}
    for line in match.group(1).strip().splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 4:
            sys.exit(f"{document.name}: {len(cells)} cells, expected folder, holds, may include, libraries: {line}")
        for path in re.findall(r"`([^`]+)`", cells[0]):
            path = path.rstrip("/")
            areas[path] = Area(path, split(cells[2]), split(cells[3]))
    for area in areas.values():
        for name in sorted(area.areas - set(areas)):
            sys.exit(f"{document.name}: row {area.path} may include {name}, which has no row")
        for name in sorted(area.libraries - set(LIBRARIES)):
            sys.exit(f"{document.name}: row {area.path} names the library {name}, which this script does not know")
    return areas


def split(cell: str) -> set[str]:
    """The comma-separated names of a cell, without back quotes; a dash is none."""
    return {name.strip().strip("`").rstrip("/") for name in cell.split(",")} - {"", "—", "-"}


def area_path(file: Path) -> str:
    """How the table names a file: relative to src/kani, or to the root outside of it."""
    relative = file.relative_to(ROOT).as_posix()
    return relative.removeprefix("src/kani/")


def find_area(areas: dict[str, Area], path: str) -> Area | None:
    """The row with the longest path that is the file itself or a folder above it."""
    while path not in areas:
        path, slash, _ = path.rpartition("/")
        if not slash:
            return None
    return areas[path]


def resolve(name: str, includer: Path) -> Path | None:
    """The file of ours that `#include "name"` means: from src/ or include/; outside of src/ from the root or a neighbour."""
    outside = [] if name.startswith("kani/") or includer.is_relative_to(ROOT / "src") else [ROOT, includer.parent]
    for base in (ROOT / "src", ROOT / "include", *outside):
        if (base / name).is_file():
            return base / name
    return None


def check_ours(areas: dict[str, Area], area: Area, includer: Path, name: str) -> str | None:
    """What is wrong with an include of our own code, if anything.  Tests may name the CPU's kernels to try each."""
    extra = {"backend/cpu"} if TEST_FILE.search(includer.name) and "backend" in area.areas else set()
    if name == "kani/version.h":  # generated while building
        target = find_area(areas, name)
    else:
        file = resolve(name, includer)
        if file is None:
            return f'"{name}" is neither in src/ nor in include/ (includes are written from there)'
        target = find_area(areas, area_path(file))
    if target is None:
        return f'"{name}" lies in a folder that has no row in the table'
    if target.path != area.path and target.path not in area.areas | extra:
        return f'"{name}" belongs to {target.path}, which {area.path} may not include'
    return None


def check_outside(area: Area, file: Path, name: str) -> str | None:
    """What is wrong with an include of a library or the system, if anything."""
    extra = {"gtest"} if TEST_FILE.search(file.name) else {"benchmark"} if file.name.endswith("_bench.cc") else set()
    for library, pattern in LIBRARIES.items():
        if re.fullmatch(pattern, name):
            if library in area.libraries | extra:
                if library == "Arrow" and not file.name.startswith("arrow_"):  # built only where Arrow is
                    return f"<{name}> may only be used in files named arrow_…"
                return None
            return f"<{name}> belongs to {library}, which {area.path} may not use"
    if not SYSTEM.fullmatch(name):
        return f"<{name}> is of a library that this script does not know"
    return None


def check_file(areas: dict[str, Area], file: Path) -> list[str]:
    area = find_area(areas, area_path(file))
    if area is None:
        return ["lies in a folder that has no row in the table"]
    problems: list[str] = []
    includes = INCLUDE.findall(file.read_text(encoding="utf-8"))
    own = file.with_suffix(".h")
    if file.suffix == ".cc" and own.is_file():
        if not includes or resolve(includes[0][1], file) != own:
            problems.append(f"does not include its own header {own.name} first")
    for quote, name in includes:
        problem = check_ours(areas, area, file, name) if quote == '"' else check_outside(area, file, name)
        if problem is None and ISA_FILE.search(file.name) and not ISA_MAY_INCLUDE.fullmatch(name):
            problem = f"{name}: a file for one instruction set includes intrinsics, <cmath>, <cstddef>, kernel headers"
        if problem is not None:
            problems.append(problem)
    return problems


def main() -> int:
    areas = read_table(ROOT / "ARCHITECTURE.md")
    files = sorted(file for tree in TREES for pattern in SOURCES for file in (ROOT / tree).rglob(pattern))
    if not files:
        sys.exit("no source files found")
    failed = 0
    for file in files:
        for problem in check_file(areas, file):
            failed += 1
            print(f"{file.relative_to(ROOT)}: {problem}")
    print(f"{len(files)} files, {failed} wrong includes")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
