#!/usr/bin/env python3
"""teachers.py - stage 2 of the recipe: speakers out of speakers.json say the sentences of texts.py.

    teachers.py --texts FOLDER --out FOLDER --hours en=12 --hours es=3 [--role train] [--workers N]
    teachers.py --texts FOLDER --out FOLDER --speaker rms --alone --hours en=7        more of one speaker
    teachers.py --texts FOLDER --out FOLDER --say heldout            every speaker says every held-out sentence

A recording is OUT/SPEAKER/ID.wav (sound.py says its form); OUT/manifest.jsonl lists them for `kani data build`, rewritten
every minute and at the end.  What a speaker says depends on the lists, speakers.json and the role alone.  Finished files
are kept, broken ones made again, so the same command goes on after a stop.  All speakers grow at the same pace.  Ends
with 1 if sentences could not be recorded, and says whose.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import queue
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from engines import ENGINES, ROLES, Speaker
from sound import finished_seconds, resampled, trimmed, write_wav

HERE = Path(__file__).resolve().parent
BATCH = 40
MANIFEST_EVERY_S = 60.0
PROGRAMS = {"flite": "flite", "espeak": "espeak-ng", "festival": "festival"}


@dataclass
class Plan:
    """What one speaker has to say: sentences in order until the seconds are reached."""

    speaker: Speaker
    sentences: list[dict[str, str]]
    seconds: float


@dataclass
class Report:
    """One batch of one speaker, from a worker to the manifest."""

    speaker: str
    rows: list[dict[str, str]]
    seconds: float = 0
    made_seconds: float = 0
    processor_s: float = 0
    failures: list[str] = field(default_factory=list)
    done: bool = False
    given_up: bool = False


def read_speakers(path: Path) -> list[Speaker]:
    speakers = []
    for entry in json.loads(path.read_text(encoding="utf-8")):
        speaker = Speaker(**entry.pop("variation"), **entry)
        if problem := speaker.problem():
            raise ValueError(f"{path}: {speaker.name}: {problem}")
        speakers.append(speaker)
    if len({speaker.name for speaker in speakers}) != len(speakers):
        raise ValueError(f"{path}: a name is there twice")
    return speakers


def read_list(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise ValueError(f"{path}: not there; run texts.py first")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def make_plans(speakers: list[Speaker], texts: Path, say: str, role: str, hours: dict[str, float], alone: bool) -> list[Plan]:
    """Speakers of one language and role share out the list, so no two of them say the same sentence; a language has its
    hours in equal parts.  Alone, each has the hours to himself and says what the others of his group would say.  Sentences
    that are kept out of training are said by everybody."""
    plans = []
    for language in sorted({speaker.language for speaker in speakers}):
        group = [one for one in speakers if one.language == language and one.role == role]
        if say != "train":
            lists = [read_list(path) for path in sorted(texts.glob(f"{say}-*.jsonl"))]
            rows = [row for rows in lists for row in rows if row["language"] == language]
            plans += [Plan(one, rows, float("inf")) for one in group]
        elif group and hours.get(language):
            rows = read_list(texts / f"train-{language}.jsonl")
            random.Random(f"{role} {language}").shuffle(rows)
            if alone:
                others = [[row for k, row in enumerate(rows) if k % len(group) != i] for i in range(len(group))]
                plans += [Plan(one, own, hours[language] * 3600) for one, own in zip(group, others, strict=True)]
                continue
            seconds = hours[language] * 3600 / len(group)
            plans += [Plan(one, rows[i :: len(group)], seconds) for i, one in enumerate(group)]
    return plans


def processor_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def speak_batch(plan: Plan, rows: list[dict[str, str]], out: Path, scratch: Path) -> Report:
    speaker = plan.speaker
    report = Report(speaker.name, [])
    began = processor_seconds()
    folder = out / speaker.name
    folder.mkdir(parents=True, exist_ok=True)
    there = {row["id"]: finished_seconds(folder / f"{row['id']}.wav") for row in rows}
    missing = [row for row in rows if there[row["id"]] is None]
    raw = [scratch / f"{i}.wav" for i in range(len(missing))]
    if missing:
        ENGINES[speaker.engine](speaker, [row["text"] for row in missing], raw)
    for row, file in zip(missing, raw, strict=True):
        target = folder / f"{row['id']}.wav"
        try:
            write_wav(target, trimmed(resampled(file, speaker.ratio, speaker.tint)))
            there[row["id"]] = finished_seconds(target)
            report.made_seconds += there[row["id"]] or 0
        except ValueError as problem:
            report.failures.append(f'{speaker.name}: {row["id"]} "{row["text"]}": {problem}')
        file.unlink(missing_ok=True)
    for row in rows:
        seconds = there[row["id"]]
        if seconds is None:
            continue
        report.seconds += seconds
        report.rows.append(
            {
                "file": f"{speaker.name}/{row['id']}.wav",
                "text": row["text"],
                "language": speaker.language,
                "speaker": speaker.name,
                "source": f"{speaker.engine} {speaker.voice}",
                "licence": speaker.licence,
            }
        )
    report.processor_s = processor_seconds() - began
    return report


def work(plans: list[Plan], out: Path, reports: multiprocessing.Queue[Report]) -> None:
    """A worker's share: a batch of each speaker in turn, until each has its seconds."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    parent = os.getppid()
    said = dict.fromkeys((plan.speaker.name for plan in plans), 0.0)
    at = 0
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="teachers-", dir=memory if memory.is_dir() else None) as scratch:
        while plans and os.getppid() == parent:
            for plan in list(plans):
                name = plan.speaker.name
                rows = plan.sentences[at : at + BATCH]
                # The last batch says only about as many as are still wanted.
                if at > 0 and said[name] > 0:
                    rows = rows[: int((plan.seconds - said[name]) / (said[name] / at)) + 1] if plan.seconds < 1e9 else rows
                report = speak_batch(plan, rows, out, Path(scratch))
                said[name] += report.seconds
                report.done = said[name] >= plan.seconds or at + BATCH >= len(plan.sentences)
                if len(report.failures) * 2 > max(len(rows), 4):
                    report.done = report.given_up = True
                if report.done:
                    plans.remove(plan)
                reports.put(report)
            at += BATCH


class Books:
    """What the parent knows: rows for the manifest, seconds and processor time by engine."""

    def __init__(self, plans: list[Plan], out: Path) -> None:
        self.out = out
        self.rows: dict[str, list[dict[str, str]]] = {plan.speaker.name: [] for plan in plans}
        self.engine = {plan.speaker.name: plan.speaker.engine for plan in plans}
        self.wanted = sum(min(plan.seconds, 3 * len(plan.sentences)) for plan in plans)
        self.seconds = 0.0
        self.made: dict[str, float] = defaultdict(float)
        self.processor: dict[str, float] = defaultdict(float)
        self.missing: dict[str, int] = defaultdict(int)  # sentences that a speaker should have said and did not
        self.given_up: list[str] = []
        self.began = time.monotonic()
        self.written = self.began

    def take(self, report: Report) -> None:
        self.rows[report.speaker] += report.rows
        self.seconds += report.seconds
        if report.made_seconds:
            self.made[self.engine[report.speaker]] += report.made_seconds
            self.processor[self.engine[report.speaker]] += report.processor_s
        if report.failures:
            self.missing[report.speaker] += len(report.failures)
        if report.given_up:
            self.given_up.append(report.speaker)
        for failure in report.failures:
            print(f"teachers: {failure}", file=sys.stderr, flush=True)
        if time.monotonic() - self.written > MANIFEST_EVERY_S:
            self.write()

    def write(self) -> None:
        self.written = time.monotonic()
        path = self.out / "manifest.jsonl"
        half = path.with_suffix(".part")
        with half.open("w", encoding="utf-8") as file:
            for rows in self.rows.values():
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        os.replace(half, path)
        wall = self.written - self.began
        print(
            f"teachers: {self.seconds / 3600:.2f} of {self.wanted / 3600:.2f} h,"
            f" {sum(map(len, self.rows.values()))} recordings, {wall / 60:.1f} min",
            flush=True,
        )

    def close(self) -> None:
        self.write()
        for engine, seconds in sorted(self.made.items()):
            speed = seconds / max(self.processor[engine], 1e-9)
            print(f"teachers: {engine}: {seconds:.0f} s made, {speed:.1f} s of speech a processor second")
        for name, rows in self.rows.items():
            print(f"teachers: {name}: {len(rows)} recordings")

    def problem(self) -> str:
        """What is missing and of whom; empty if nothing is."""
        names = [f"{name} ({count}{', given up: more than half of a batch failed' if name in self.given_up else ''})"
                 for name, count in sorted(self.missing.items())]
        return f"sentences that could not be recorded: {', '.join(names)}; the same command tries them again" if names else ""


def run(plans: list[Plan], out: Path, workers: int) -> int:
    reports: multiprocessing.Queue[Report] = multiprocessing.Queue()
    shares = [plans[i::workers] for i in range(workers)]
    processes = [multiprocessing.Process(target=work, args=(share, out, reports), daemon=True) for share in shares if share]
    books = Books(plans, out)
    for process in processes:
        process.start()
    left = len(plans)
    while left:
        try:
            report = reports.get(timeout=5)
        except queue.Empty:
            if dead := [one for one in processes if one.exitcode not in (None, 0)]:
                books.write()
                print(f"teachers: a worker ended with {dead[0].exitcode}; the same command goes on", file=sys.stderr)
                return 1
            continue
        books.take(report)
        left -= report.done
    for process in processes:
        process.join()
    books.close()
    if problem := books.problem():
        print(f"teachers: {problem}", file=sys.stderr)
    return 1 if books.missing else 0


def hours_of(words: list[str], parser: argparse.ArgumentParser) -> dict[str, float]:
    hours = {}
    for word in words:
        language, equal, number = word.partition("=")
        try:
            hours[language] = float(number)
        except ValueError:
            equal = ""
        if not equal:
            parser.error(f'--hours is "{word}", expected LANGUAGE=NUMBER such as en=12')
    return hours


def main() -> int:
    parser = argparse.ArgumentParser(description="lets free synthesizers say the sentences of the recipe")
    parser.add_argument("--texts", type=Path, required=True, metavar="FOLDER", help="what texts.py wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--hours", action="append", default=[], metavar="LANGUAGE=H", help="in all, shared by its speakers")
    parser.add_argument("--role", choices=ROLES, default="train", help="which speakers (train)")
    parser.add_argument("--say", choices=("train", "heldout", "development"), default="train", help="which lists (train)")
    parser.add_argument("--speaker", action="append", default=[], metavar="NAME", help="of the role only these")
    parser.add_argument("--alone", action="store_true", help="each has the hours to himself, and other sentences than without it")
    parser.add_argument("--speakers", type=Path, default=HERE / "speakers.json", metavar="FILE")
    parser.add_argument("--workers", type=int, default=1, metavar="N")
    options = parser.parse_args()
    hours = hours_of(options.hours, parser)
    try:
        speakers = read_speakers(options.speakers)
        plans = make_plans(speakers, options.texts, options.say, options.role, hours, options.alone)
    except ValueError as problem:
        parser.error(str(problem))
    if options.speaker:
        plans = [plan for plan in plans if plan.speaker.name in options.speaker]
    if not plans or options.workers < 1:
        parser.error("nothing to do: give --hours LANGUAGE=H of a language that the role has, and --workers of at least 1")
    for program in sorted({"sox", *(PROGRAMS[plan.speaker.engine] for plan in plans)}):
        if not shutil.which(program):
            parser.error(f"{program} is not installed; tools/packages.sh lists what the recipe needs (recipe_packages)")
    options.out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return run(plans, options.out, options.workers)
    except KeyboardInterrupt:
        print("teachers: stopped; the same command goes on", file=sys.stderr)
        return 130
    except subprocess.TimeoutExpired as problem:
        print(f"teachers: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
