#!/usr/bin/env python3
"""check_files.py - the rules of the house that a machine can see in one file, for every file git knows.

A source file begins with a comment that names it ("// error.h - …"; Python with a docstring; a test is named by what it
tests), stays within 600 lines, leaves no note of unfinished work; every text file is UTF-8 with LF, without
tabs or trailing blanks, and ends with one newline.  Not here: C++ formatting (clang-format) and includes
(check_includes.py).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINE_LIMIT = 600
CODE = {".cc", ".h", ".c", ".cu", ".cuh", ".py", ".sh", ".cmake"}
TEXT = CODE | {".md", ".txt", ".in", ".map", ".yaml", ".yml"}
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
# Data that tests read byte by byte, and texts of others.
NOT_OURS = re.compile(r"tests/data/|fuzz/corpus/|models/|LICENSE|NOTICE")


def opens_well(file: Path, text: str) -> bool:
    """Whether the first words say what the file is: Python in a docstring, C++ and scripts beside their name."""
    lines = text.splitlines() or [""]
    if lines[0].startswith("#!"):
        python = "python" in lines.pop(0)
    else:
        python = file.suffix == ".py"
    head = "\n".join(lines[:3])
    if python:
        return head.startswith('"""')
    if file.suffix == "":
        return head.startswith("#") and file.name in head
    return head.lstrip("/#* ").startswith(f"{file.name} - ")


def check_file(path: str) -> list[str]:
    file = ROOT / path
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return [f"is not UTF-8 at byte {error.start}"]
    problems: list[str] = []
    lines = text.split("\n")
    if "\r" in text:
        problems.append("has a carriage return")
    if not text.endswith("\n") or text.endswith("\n\n"):
        problems.append("does not end with one newline")
    for number, line in enumerate(lines, start=1):
        if "\t" in line:
            problems.append(f"line {number} has a tab")
        if line != line.rstrip():
            problems.append(f"line {number} has trailing blanks")
    if file.suffix in CODE or file.suffix == "":
        if len(lines) - 1 > LINE_LIMIT:
            problems.append(f"has {len(lines) - 1} lines, the limit is {LINE_LIMIT}")
        if not file.name.endswith("_test.cc") and not opens_well(file, text):
            problems.append(f'does not begin with "{file.name} - what it is", or as Python with a docstring')
        for number, line in enumerate(lines, start=1):
            if UNFINISHED.search(line):
                problems.append(f"line {number} speaks of unfinished work")
    return problems


def is_text(path: str) -> bool:
    """Ours and to be checked: known endings, and programs without one (run, check, .ci/run, tests/journeys/…)."""
    file = Path(path)
    if NOT_OURS.match(path) or not (ROOT / path).is_file():
        return False
    if file.suffix in TEXT:
        return True
    return file.suffix == "" and not file.name.startswith(".") and (ROOT / path).read_bytes().startswith(b"#!")


def main() -> int:
    output = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            check=True, capture_output=True, text=True).stdout
    files = [path for path in output.split("\0") if path and is_text(path)]
    if not files:
        sys.exit("no files found")
    failed = 0
    for path in files:
        for problem in check_file(path):
            failed += 1
            print(f"{path}: {problem}")
    print(f"{len(files)} files, {failed} problems")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
