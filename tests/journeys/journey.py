"""journey.py - what journeys need: the program in a clean environment, a folder of its own, and looking at sound."""

from __future__ import annotations

import array
import os
import re
import shutil
import struct
import subprocess
import tempfile
import time
import unittest
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, TypeVar

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120
# Words that scripts look for.
SUMMARY = re.compile(
    r"^\d+\.\d s of sound in \d+\.\d s \(RTF \d+\.\d\d\), first sound after \d+\.\d\d s, seed (\d+)$")
TEXT = "Good morning, this is Helen."


class Setup:
    """One for the whole run."""

    bin: Path
    model: Path
    folder: Path
    _tiny: Path | None = None

    @classmethod
    def prepare(cls, programs: Path, model: Path | None) -> None:
        cls.bin = programs
        cls.model = (model or ROOT / "models" / "kani-mini").resolve()
        cls.folder = Path(tempfile.mkdtemp(prefix="kani-journeys-"))
        if not (cls.bin / "kani").is_file():
            raise SystemExit(f"no program at {cls.bin / 'kani'}")
        if not cls.model.is_dir():
            raise SystemExit(f"no model at {cls.model}")

    @classmethod
    def tidy(cls) -> None:
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def tiny(cls) -> Path:
        """A small random model in upstream's layout: quick to load, copy and break.  It makes noise."""
        if cls._tiny is None:
            cls._tiny = cls.folder / "tiny"
            subprocess.run([cls.bin / "kani-tool", "random-model", "--preset", "tiny", "--seed", "1", "--out", cls._tiny],
                           check=True, capture_output=True, timeout=TIMEOUT_S)
        return cls._tiny


Test = TypeVar("Test", bound=Callable[..., object])


def slow(function: Test) -> Test:
    """Marks what --quick leaves out."""
    function.slow = True  # type: ignore[attr-defined]
    return function


def is_slow(test: unittest.TestCase) -> bool:
    return hasattr(getattr(test, getattr(test, "_testMethodName", ""), None), "slow")


class Blob(bytes):
    """Bytes that do not fill the screen when a test fails."""

    def __repr__(self) -> str:
        return super().__repr__() if len(self) < 200 else f"<{len(self)} bytes, checksum {zlib.crc32(self):08x}>"


class Samples(array.array):  # type: ignore[type-arg]
    """16-bit samples, likewise."""

    def __repr__(self) -> str:
        return f"<{len(self)} samples, checksum {zlib.crc32(self.tobytes()):08x}>"


@dataclass
class Ended:
    """How a program ended."""

    status: int
    out: Blob
    err: str

    def lines(self) -> list[str]:
        """Standard error without log lines."""
        return [line for line in self.err.splitlines() if not line.startswith(("kani: info:", "kani: warning:"))]

    def messages(self) -> list[str]:
        """The error and its hint: what is left without log lines and the summaries of texts that went well."""
        return [line for line in self.lines() if not SUMMARY.match(line)]


class Journey(unittest.TestCase):
    """Each test has an empty working folder and a home of its own."""

    longMessage = True
    maxDiff = None

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=Setup.folder))
        self.work = self.folder / "work"
        self.work.mkdir()
        (self.folder / "home").mkdir()
        (self.folder / "path").mkdir()  # no players here unless a test puts one there
        self.environment = {
            "HOME": str(self.folder / "home"),
            "PATH": str(self.folder / "path"),
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm",
            "KANI_MODEL": str(Setup.model),
        }
        for name, value in os.environ.items():
            if name.startswith(("ASAN_", "UBSAN_", "LSAN_", "LLVM_PROFILE")):
                self.environment[name] = value

    def tearDown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *arguments: object, **popen: object) -> subprocess.Popen[bytes]:
        command = [str(Setup.bin / "kani"), *[a if isinstance(a, bytes) else str(a) for a in arguments]]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, cwd=self.work, env=self.environment, **{**pipes, **popen})  # type: ignore[call-overload]
        self.addCleanup(self._end, process)
        return process

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass

    def kani(self, *arguments: object, text: str | bytes = b"", status: int = 0) -> Ended:
        """Runs the program to its end and expects this status."""
        process = self.start(*arguments)
        out, err = process.communicate(text.encode() if isinstance(text, str) else text, timeout=TIMEOUT_S)
        ended = Ended(process.returncode, Blob(out), err.decode("utf-8", "replace"))
        shown = f"kani {' '.join(repr(a) for a in arguments)}\n{ended.err}"
        self.assertEqual(ended.status, status, shown)
        self.assertNotIn("Sanitizer", ended.err, shown)
        return ended

    def say(self, *arguments: object, text: str | bytes = b"", status: int = 0) -> Ended:
        """kani say, kept short and repeatable."""
        return self.kani("say", "-n", "60", "-s", "1", *arguments, text=text, status=status)

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float = TIMEOUT_S) -> None:
        limit = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), limit, f"waited in vain for {what}")
            time.sleep(0.01)

    def content(self, name: str) -> Blob:
        return Blob((self.work / name).read_bytes())

    def files(self, folder: Path | None = None) -> list[str]:
        """Names below the working folder."""
        base = folder or self.work
        return sorted(str(path.relative_to(base)) for path in base.rglob("*"))

    def put_player(self, script: str, name: str = "aplay") -> None:
        """A player that is a shell script."""
        player = self.folder / "path" / name
        player.write_text("#!/bin/sh\n" + script)
        player.chmod(0o755)


@dataclass
class Wav:
    """A 16-bit mono WAV file, read here so that the reader is not the writer's."""

    rate_hz: int
    samples: Samples
    header_bytes: int
    streaming: bool
    chunks: list[str]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz

    @property
    def level(self) -> float:
        """Root of the mean square, 0 … 1."""
        return (sum(s * s for s in self.samples) / max(1, len(self.samples))) ** 0.5 / 32768


def read_wav(data: bytes) -> Wav:
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise AssertionError(f"no WAV: {data[:12]!r}")
    streaming = data[4:8] == b"\xff\xff\xff\xff"
    position, rate, chunks = 12, 0, []
    samples = Samples("h")
    header_bytes = 0
    while position + 8 <= len(data):
        name, size = data[position:position + 4], struct.unpack_from("<I", data, position + 4)[0]
        position += 8
        chunks.append(name.decode("latin-1"))
        if size == 0xFFFFFFFF:
            size = len(data) - position
        if name == b"fmt ":
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, position)
            if (kind, channels, bits) != (1, 1, 16):
                raise AssertionError(f"not 16-bit mono: {kind} {channels} {bits}")
        elif name == b"data":
            header_bytes = position
            body = data[position:position + size]
            if len(body) % 2 or len(body) != size:
                raise AssertionError(f"data of {len(body)} bytes, announced {size}")
            samples.frombytes(body)
        position += size + size % 2
    return Wav(rate, samples, header_bytes, streaming, chunks)
