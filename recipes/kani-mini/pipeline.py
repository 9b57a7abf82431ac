"""pipeline.py - stages that need one another, run as far apart as they can be, and what is finished kept.

A stage is a list of steps (programs, or functions of this recipe) with the names of the stages that it needs.  When it
is done RUN/state/NAME.json says so: a stamp of its steps, of the scripts and data that make it and of the stages below
it, seconds of wall clock and of processor.  A stage whose stamp is there is not run again; one whose stamp differs was
made by another recipe, and whoever asks must say that it is to be made anew.  A stage that was stopped is started again:
the programs themselves go on from what they have saved.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Function:
    """A step of this recipe's own; `version` is raised whenever what it makes changes."""

    call: Callable[[], None]
    version: str


@dataclass(frozen=True)
class Training:
    """A run of kani-train: the same command with --resume once it has a checkpoint."""

    command: list[str]
    out: Path

    def now(self) -> list[str]:
        # A checkpoint that a hard kill cut short (step-….part) is none.
        begun = any(path.suffix != ".part" for path in self.out.glob("step-*"))
        return [*self.command, "--out", str(self.out), *(["--resume"] if begun else [])]

    def at_its_end(self) -> bool:
        """A training that is asked to end saves, and its status is 0 then, too; the last checkpoint tells."""
        if "--steps" not in self.command:
            return True
        return (self.out / f"step-{int(self.command[self.command.index('--steps') + 1]):08d}").is_dir()


Step = list[str] | Function | Training


@dataclass
class Stage:
    name: str
    needs: tuple[str, ...]
    steps: list[Step]
    makes: list[Path] = field(default_factory=list)  # removed when the stage is to be made anew
    alone: bool = False  # its program uses all cores: nothing else runs beside it
    reads: tuple[Path, ...] = ()  # scripts and data of the recipe whose content it hangs on

    def stamp(self, below: dict[str, str], root: Path) -> str:
        """Of what is done; not of where (RUN may be moved), by how many, and on which device."""
        words: list[object] = []
        for step in self.steps:
            if isinstance(step, Function):
                words.append(step.version)
            else:
                command = step.command if isinstance(step, Training) else step
                counted = command.index("--workers") if "--workers" in command else len(command)
                told = [*command[1:counted], *command[counted + 2:]]
                told = [word.replace(str(root), "RUN") for word in told if not word.startswith("device=")]
                told = [content_name(Path(word)) if word.endswith(".yaml") else word for word in told]
                words.append([Path(command[0]).name, *told])
        words.append([content_name(path) for path in self.reads])
        words.append([below[name] for name in self.needs])
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]


def content_name(path: Path) -> str:
    """By which a file of settings is known wherever it lies."""
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


class Stopped(Exception):
    """A signal came."""


class Failed(Exception):
    """A stage ended with an error; its log says why."""


class Pipeline:
    def __init__(self, stages: list[Stage], root: Path, jobs: int) -> None:
        self.stages = {stage.name: stage for stage in stages}
        self.root, self.jobs = root, jobs
        self.state, self.logs = root / "state", root / "logs"
        self.stamps: dict[str, str] = {}
        for stage in stages:  # needs stand before who needs them
            self.stamps[stage.name] = stage.stamp(self.stamps, root)

    def lock(self) -> None:
        """For as long as this process lives.  Throws Failed if another works here."""
        self.state.mkdir(parents=True, exist_ok=True)
        self.locked = (self.state / "lock").open("w")
        try:
            fcntl.flock(self.locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise Failed(f"another run is at work in {self.root}") from problem

    # What is there -------------------------------------------------------------------------------------------------------

    def record(self, name: str) -> dict[str, object]:
        try:
            return json.loads((self.state / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def is_done(self, name: str) -> bool:
        return self.record(name).get("stamp") == self.stamps[name]

    def made_otherwise(self) -> list[str]:
        """Stages that are done or begun, but not by this recipe with these settings."""
        known = {name: {self.record(name).get(mark) for mark in ("begun", "stamp")} for name in self.stages}
        return [name for name, marks in known.items() if marks - {None, self.stamps[name]}]

    def above(self, name: str) -> list[str]:
        """The stage and all that is built on it."""
        found = [name]
        for stage in self.stages.values():
            if any(need in found for need in stage.needs):
                found.append(stage.name)
        return found

    def forget(self, name: str) -> None:
        for path in self.stages[name].makes:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        (self.state / f"{name}.json").unlink(missing_ok=True)

    def keep(self, name: str, **more: object) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        path = self.state / f"{name}.json"
        half = path.with_suffix(".part")
        half.write_text(json.dumps({**self.record(name), **more}, indent=1) + "\n", encoding="utf-8")
        os.replace(half, path)

    # Running -------------------------------------------------------------------------------------------------------------

    def run(self, wanted: list[str]) -> None:
        """Runs what `wanted` needs and is not done.  Throws Stopped or Failed; children have ended by then."""
        todo = [name for name in self.stages if name in self._closure(wanted) and not self.is_done(name)]
        running: dict[str, Running] = {}
        try:
            while todo or running:
                for name in list(todo):
                    stage = self.stages[name]
                    ready = all(self.is_done(need) for need in stage.needs)
                    alone = any(self.stages[other].alone for other in running)
                    if ready and len(running) < self.jobs and not alone and not (stage.alone and running):
                        todo.remove(name)
                        self.keep(name, begun=self.stamps[name])  # by which half a stage is told
                        running[name] = Running(stage, self.logs)
                        print(f"{clock()} {name}: begun", flush=True)
                time.sleep(0.2)
                for name, process in list(running.items()):
                    if not process.advance():
                        continue
                    del running[name]
                    self.keep(name, stamp=self.stamps[name], **self.spent(name, process))
                    print(f"{clock()} {name}: done, {process.seconds / 60:.1f} min", flush=True)
        finally:
            if running and threading.current_thread() is threading.main_thread():
                for number in SIGNALS:  # who is impatient must not leave children behind
                    signal.signal(number, signal.SIG_IGN)
            for name, process in running.items():
                process.stop()
                self.keep(name, **self.spent(name, process))

    def spent(self, name: str, process: Running) -> dict[str, float]:
        """With what was spent on it before it was stopped."""
        now = {"seconds": process.seconds, "processor_seconds": process.processor_seconds}
        before = self.record(name)
        return {key: round(value + float(str(before.get(key, 0))), 1) for key, value in now.items()}

    def _closure(self, wanted: list[str]) -> set[str]:
        found: set[str] = set()
        todo = list(wanted)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += self.stages[name].needs
        return found


class Running:
    """A stage at work: its steps one after the other."""

    def __init__(self, stage: Stage, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.stage, self.log = stage, logs / f"{stage.name}.log"
        self.began = time.monotonic()
        self.processor_seconds = 0.0
        self.steps = list(stage.steps)
        self.training: Training | None = None  # what the child is, if it is one
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def advance(self) -> bool:
        """True when all is done.  Throws Failed."""
        while True:
            if self.child is not None:
                pid, status, used = os.wait4(self.child.pid, os.WNOHANG)
                if pid == 0:
                    return False
                self.child.returncode = os.waitstatus_to_exitcode(status)
                self.processor_seconds += used.ru_utime + used.ru_stime
                code, self.child = self.child.returncode, None
                cut_short = code == 0 and self.training is not None and not self.training.at_its_end()
                if cut_short or code in [128 + number for number in SIGNALS]:
                    raise Failed(f"{self.stage.name} was stopped from outside ({code}); the same command goes on")
                if code != 0:
                    raise Failed(f"{self.stage.name} ended with {code}; {self.log} says why:\n{last_lines(self.log)}")
            if not self.steps:
                if missing := [path for path in self.stage.makes if not path.exists()]:
                    raise Failed(f"{self.stage.name} ended without {missing[0]}; {self.log} says why")
                return True
            step = self.steps.pop(0)
            if isinstance(step, Function):
                try:
                    step.call()
                except (OSError, ValueError, subprocess.CalledProcessError) as problem:
                    raise Failed(f"{self.stage.name}: {problem}") from problem
                continue
            self.training = step if isinstance(step, Training) else None
            command = step.now() if isinstance(step, Training) else step
            with self.log.open("ab") as log:
                log.write(f"\n$ {' '.join(command)}\n".encode())
                log.flush()
                # A group of its own: a signal from the terminal reaches us alone, and we pass it on once.
                self.child = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)

    def stop(self) -> None:
        """Trainings save when they are asked to end."""
        if self.child is None:
            return
        os.killpg(self.child.pid, signal.SIGTERM)
        for _ in range(600):
            pid, _, used = os.wait4(self.child.pid, os.WNOHANG)
            if pid:
                self.processor_seconds += used.ru_utime + used.ru_stime
                return
            time.sleep(0.1)
        os.killpg(self.child.pid, signal.SIGKILL)
        os.wait4(self.child.pid, 0)


def clock() -> str:
    return time.strftime("%H:%M:%S")


def last_lines(path: Path, count: int = 12) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
    return "\n".join("  " + line for line in lines[-count:])


def on_signals() -> None:
    def stop(number: int, _: object) -> None:
        raise Stopped(signal.Signals(number).name)

    for number in SIGNALS:
        signal.signal(number, stop)


def need_programs(names: list[str], hint: str) -> None:
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        raise Failed(f"not installed: {', '.join(missing)}\nhint: {hint}")


def tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
