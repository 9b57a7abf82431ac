#!/usr/bin/env python3
"""check_instructions.py - counts the instructions of fixed workloads and compares them with a baseline.

Instruction counts under callgrind hardly depend on the machine or its load, so a few percent more is a change of the
code, where a stopwatch on a shared machine would only see noise.  They say nothing about memory or AVX-512 (callgrind
shows programs a processor with AVX2); time is measured in bench/.

bench/callgrind-baseline.json:
  {"compiler": "GNU 12.2.0", "tolerance": 0.03,
   "workloads": {"NAME": {"command": ["kani-tool", …], "stdin": "…", "instructions": 123}}}
The first word of a command is a program in --bin; {root} in a word is the source tree, {tmp} an empty folder.  With
"less", the command that does less of the same, and "steps", how many steps less, a workload counts one step: what both
commands do once (loading, starting) cancels out.  Counts of another compiler or processor family are not compared:
those workloads are skipped.

usage: check_instructions.py --bin DIR [--update]     its last line is "workloads: N passed, N failed, N skipped"
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / "bench" / "callgrind-baseline.json"


def compiler(build: Path) -> str:
    """Name and version of the compiler that made a build folder, as CMake says them."""
    for file in build.glob("CMakeFiles/*/CMakeCXXCompiler.cmake"):
        text = file.read_text(encoding="utf-8")
        words = [re.search(rf'set\(CMAKE_CXX_COMPILER_{key} "([^"]*)"\)', text) for key in ("ID", "VERSION")]
        return " ".join(word.group(1) for word in words if word)
    return "unknown"


def count_instructions(command: list[str], stdin: str) -> int:
    """Runs a command under callgrind in an empty folder and returns what it counted."""
    with tempfile.TemporaryDirectory() as folder:
        words = [word.replace("{root}", str(ROOT)).replace("{tmp}", folder) for word in command]
        # The threads of a program run one at a time here, so what they spend waiting would count: ask for one thread.
        run = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out", *words],
                             input=stdin, capture_output=True, text=True, cwd=folder, check=False)
        if run.returncode != 0:
            raise RuntimeError(f"{' '.join(words)} ended with status {run.returncode}:\n{run.stderr[-3000:]}")
        match = re.search(r"Collected\s*:\s*(\d+)", run.stderr)
        if match is None:
            raise RuntimeError("callgrind printed no count")
        return int(match.group(1))


def begin_workload(pool: ThreadPoolExecutor, bin_dir: Path, workload: dict) -> list[Future[int]]:
    """Starts the counts of a workload: of its command and, where one step of it is meant, of the command that does less."""
    commands = [workload["command"]] + ([workload["less"]] if "less" in workload else [])
    return [pool.submit(count_instructions, [str(bin_dir / command[0]), *command[1:]], workload.get("stdin", ""))
            for command in commands]


def count_workload(workload: dict, counts: list[Future[int]]) -> int:
    """Instructions of a workload whose counts have begun: of its command, or of one step of it."""
    if "less" not in workload:
        return counts[0].result()
    return (counts[0].result() - counts[1].result()) // workload["steps"]


def main() -> int:
    parser = argparse.ArgumentParser(description="counts instructions of fixed workloads")
    parser.add_argument("--bin", type=Path, required=True, help="folder of the programs, in a build folder")
    parser.add_argument("--update", action="store_true", help="write the counts into the baseline instead of comparing")
    arguments = parser.parse_args()
    baseline = json.loads(BASELINE.read_text(encoding="utf-8"))
    bin_dir = arguments.bin.resolve()
    here = f"{compiler(bin_dir.parent)} {platform.machine()}"
    comparable = here == baseline["compiler"]
    passed = failed = skipped = 0
    if not baseline["workloads"]:
        print("SKIPPED: bench/callgrind-baseline.json names no workload")
        skipped = 1
    # Load hardly changes a count, so as many run at a time as there are processors.
    pool = ThreadPoolExecutor(os.cpu_count())
    count_all = comparable or arguments.update
    begun = {name: begin_workload(pool, bin_dir, workload) for name, workload in baseline["workloads"].items() if count_all}
    for name, workload in baseline["workloads"].items():
        if not count_all:
            print(f"SKIPPED: {name}: the baseline is of {baseline['compiler']}, this build of {here}")
            skipped += 1
            continue
        try:
            count = count_workload(workload, begun[name])
        except (RuntimeError, OSError) as error:
            print(f"FAILED: {name}: {error}")
            failed += 1
            continue
        change = count / workload["instructions"] - 1 if workload["instructions"] else 1.0
        within = change <= baseline["tolerance"]
        verdict = "updated" if arguments.update else "passed" if within else "FAILED"
        print(f"{verdict}: {name}: {count:,} instructions, baseline {workload['instructions']:,}, {change:+.2%}")
        if change < -baseline["tolerance"]:
            print(f"{name} became cheaper: take the new count with --update so that it cannot be lost again")
        workload["instructions"] = count if arguments.update else workload["instructions"]
        passed += within or arguments.update
        failed += not (within or arguments.update)
    if arguments.update:
        baseline["compiler"] = here
        BASELINE.write_text(json.dumps(baseline, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"workloads: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
