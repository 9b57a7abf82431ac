"""journeys_data.py - kani data: a dozen recordings become a set; mistakes, interruptions, and who is asked to do it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

from journey import ROOT, TIMEOUT_S, Ended, Blob, Journey, Setup

MODEL = ROOT / "models" / "kani-mini"
SENTENCES = (
    "Good morning, this is Helen.", "The old dog walked to the river.", "A small computer likes the garden.",
    "We will meet again on Sunday.", "My brother has bought a house.", "Please close the window now.",
    "There is some bread on the table.", "The children went to school early.", "I have never seen the sea.",
    "She wrote a long letter to him.", "It is raining in the mountains.", "Nobody knew what to say.")


def hashes(folder: Path) -> dict[str, str]:
    """Every file of a set but its work."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file() and "work" not in path.relative_to(folder).parts}


class Data(Journey):
    """kani data build, on recordings that the program has spoken itself."""

    recordings: Path | None = None

    def setUp(self) -> None:
        super().setUp()
        if not (Setup.bin / "kani-data").is_file():
            self.skipTest("kani-data is not built")
        self.environment["KANI_MODEL"] = str(MODEL)
        if Data.recordings is None:
            folder = Setup.folder / "recordings"
            folder.mkdir()
            for number, sentence in enumerate(SENTENCES):
                self.say("-o", folder / f"{number:02}.wav", sentence, status=0)
                (folder / f"{number:02}.txt").write_text(sentence + "\n")
            Data.recordings = folder
        shutil.copytree(Data.recordings, self.work / "in")

    def build(self, *arguments: object, status: int = 0, out: str = "out") -> Ended:
        return self.kani("data", "build", "in", "--model", MODEL, "--language", "en", "--out", out, *arguments, status=status)

    def error(self, *arguments: object, status: int, out: str = "out") -> tuple[str, str]:
        """The error and its hint."""
        lines = self.build(*arguments, status=status, out=out).err.splitlines()
        return lines[0], lines[1] if len(lines) > 1 else ""

    def report(self, out: str = "out") -> dict[str, object]:
        return json.loads(self.content(f"{out}/report.json"))

    def test_what_is_trimmed_and_what_is_a_clip_can_be_said(self) -> None:
        shutil.rmtree(self.work / "in")
        shutil.copytree(self.recordings, self.work / "in", ignore=shutil.ignore_patterns("0[4-9]*", "1*"))

        def trimmed(*arguments: object, out: str) -> float:
            self.build("--allow-errors", "in", *arguments, out=out)
            return sum(json.loads(line)["trimmed_s"] for line in self.content(f"{out}/clips.jsonl").decode().splitlines())
        self.assertGreater(trimmed("--trim-below", 20, "--trim-pad", 0, out="tight"), trimmed(out="usual"))
        self.assertIn("--min-rate 40 is not below --max-rate 35", self.error("--min-rate", 40, status=2)[0])
        self.assertIn("--trim-pad", self.error("--trim-pad", 0.5, status=2)[0])
        self.assertIn("4 were rejected as speech_rate", self.error("--max-rate", 5, "--allow-errors", "in", status=3, out="none")[0])

    def test_recordings_become_a_set_with_a_report(self) -> None:
        (self.work / "in" / "broken.wav").write_bytes(b"no sound")
        (self.work / "in" / "broken.txt").write_text("Nothing.")
        shutil.copy(self.work / "in" / "03.wav", self.work / "in" / "copy.wav")
        (self.work / "in" / "copy.txt").write_text("The same once more.")
        ended = self.build("--split-by", "recording", "--valid", "0.2", "--samples", "2")
        told = ended.out.decode()
        self.assertRegex(told, r"(?m)^train: \d+ clips, ")
        self.assertIn("rejected: 2 of 14 records (audio 1, duplicate_sound 1)\n", told)
        self.assertIn("report: out/report.html\n", told)
        report = self.report()
        splits = report["splits"]
        self.assertEqual(sum(split["clips"] for split in splits.values()), 12)  # type: ignore[attr-defined]
        rejects = [json.loads(line) for line in self.content("out/rejects.jsonl").splitlines()]
        self.assertEqual([(r["audio"], r["reason"]) for r in rejects],
                         [("broken.wav", "audio"), ("copy.wav", "duplicate_sound")])
        page = self.content("out/report.html").decode()
        self.assertNotIn("<script", page)
        self.assertIn("<audio", page)
        self.assertTrue((self.work / "out" / "report" / "sample-2.wav").is_file())
        # Another program can check the hashes.
        for line in self.content("out/MANIFEST").decode().splitlines():
            digest, name = line.split("  ")
            self.assertEqual(hashes(self.work / "out")[name], digest)
        shards = sorted((self.work / "out").glob("*.kshard"))
        self.assertIn(": whole, ", self.kani("data", "verify", "out", *shards).out.decode())
        self.assertIn("hint: kani data verify SHARD", self.kani("check", shards[0], status=3).err)

    def test_the_report_can_be_written_again(self) -> None:
        self.build()
        before = hashes(self.work / "out")
        (self.work / "out" / "report.html").write_text("spilt")
        (self.work / "out" / "report.json").unlink()
        self.assertIn("train: 12 clips", self.kani("data", "report", "out").out.decode())
        self.assertEqual(hashes(self.work / "out"), before)
        self.kani("data", "verify", "out")
        self.assertIn("no such file: in/MANIFEST", self.kani("data", "report", "in", status=4).err)

    def test_again_it_is_there_and_a_second_worker_changes_nothing(self) -> None:
        self.build("--workers", "1")
        before = hashes(self.work / "out")
        self.assertIn("the set is there already\n", self.build("--workers", "4").out.decode())
        self.build("--workers", "4", out="other")
        self.assertEqual(hashes(self.work / "other"), before)

    def test_a_set_goes_to_parquet_and_back_split_by_split(self) -> None:
        self.build("--language-tags", "--split-by", "recording", "--valid", "0.2", "--speaker-encoder", "none")

        def convert(*arguments: object, status: int = 0) -> Ended:
            return self.kani("data", "convert", *arguments, status=status)

        with self.start("data", "convert", "out") as process:
            mistake = process.communicate(timeout=TIMEOUT_S)[1].decode()
        if "built without Arrow" in mistake:
            self.skipTest("built without Arrow")
        self.assertEqual(mistake.splitlines(),
                         ["kani-data: error: --to is missing", "hint: kani-data COMMAND --help lists the flags"])
        convert("out", "parquet", "--to", "parquet", "--split", "all")
        convert("parquet", "back", "--to", "shards", "--split", "all", "--tokenizer", MODEL / "lm")
        names = {path.name for path in (self.work / "back").iterdir()}
        self.assertEqual(names, {"MANIFEST", "train-00000-of-00001.kshard", "valid-00000-of-00001.kshard"})
        self.kani("data", "verify", "parquet", "back")
        for name in names - {"MANIFEST"}:  # as many clips and text ids, all of them with their tags
            before, after = (self.kani("data", "show", f"{folder}/{name}").out.decode().partition(": ")[2] for folder in ("out", "back"))
            self.assertEqual(before, after)
        self.assertIn("exists and is not empty", convert("out", "back", "--to", "shards", status=2).err)

    def many(self, copies: int = 8) -> None:
        """More records out of the same recordings: each a little shorter."""
        lines = ["audio\ttext\tstart\tend"]
        for number, sentence in enumerate(SENTENCES):
            lines += [f"in/{number:02}.wav\t{sentence}\t{0.01 * copy}\t" for copy in range(copies)]
        (self.work / "many.tsv").write_text("\n".join(lines) + "\n")

    def start_many(self) -> subprocess.Popen[bytes]:
        return self.start("data", "build", "many.tsv", "--model", MODEL, "--language", "en", "--out", "out", "--workers", "1")

    def finished_units(self) -> int:
        journal = self.work / "out" / "work" / "journal-0-of-1.jsonl"
        return journal.read_bytes().count(b"unit") if journal.is_file() else 0

    def test_interrupted_and_killed_it_goes_on(self) -> None:
        self.many()
        before = 0
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
            process = self.start_many()
            self.wait_for(lambda: self.finished_units() > before + 2, "some finished units")
            process.send_signal(number)
            _, err = process.communicate(timeout=TIMEOUT_S)
            self.assertEqual(process.returncode, status, err)
            if status > 0:
                self.assertRegex(err.decode(), r"kani-data: error: interrupted; \d+ of 96 records are done\n"
                                               r"hint: the same command goes on from there\n$")
            self.assertFalse((self.work / "out" / "MANIFEST").exists())
            before = self.finished_units()
        process = self.start_many()
        out, err = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 0, err)
        whole = self.kani("data", "build", "many.tsv", "--model", MODEL, "--language", "en", "--out", "whole")
        self.assertEqual(out.decode().splitlines()[:-1], whole.out.decode().splitlines()[:-1])
        self.assertEqual(hashes(self.work / "out"), hashes(self.work / "whole"))

    def test_two_machines_share_the_work(self) -> None:
        self.build(out="whole")
        first = self.build("--part", "2/2").out.decode()
        self.assertIn("part 2 of 2 is done, 6 records; the part that ends last puts the set together\n", first)
        self.environment.update({"RANK": "0", "WORLD_SIZE": "2"})
        self.assertIn("train: 12 clips", self.build().out.decode())
        self.assertEqual(hashes(self.work / "out"), hashes(self.work / "whole"))

    def test_mistakes_are_told_in_one_line(self) -> None:
        usage = "hint: kani-data COMMAND --help lists the flags"
        for arguments, told in (
            (("--wrong", "1"), "kani-data: error: --wrong is not known"),
            (("--workers", "0"), 'kani-data: error: --workers is "0", must be a number from 1 to 1024'),
            (("--valid", "2"), 'kani-data: error: --valid is "2", must be a number from 0 to 0.9'),
            (("--format", "csv"), 'kani-data: error: --format is "csv", must be kshard, parquet or both'),
            (("--speaker-vector", "best"), 'kani-data: error: --speaker-vector is "best", must be mean, self or other'),
            (("--loudness", "loud"), 'kani-data: error: --loudness is "loud", must be a number from -60 to -5'),
            (("--segment-min", "5"), "kani-data: error: --segment-min says nothing without --segment"),
            (("--segment", "--segment-max", "50"), "kani-data: error: --segment-max 50 is above --max-seconds 40"),
            (("--part", "3/2"), "kani-data: error: --part is 3/2, expected I/N with I from 1 to N, as 2/4"),
            (("--out",), "kani-data: error: --out needs a value"),
            (("another",), "kani-data: error: 2 names of files given, expected 1"),
        ):
            with self.subTest(told):
                if arguments == ("--out",):
                    lines = self.kani("data", "build", "in", "--model", MODEL, "--out", status=2).err.splitlines()
                    self.assertEqual(lines, [told, usage])
                else:
                    self.assertEqual(self.error(*arguments, status=2), (told, usage))
        self.assertFalse((self.work / "out").exists())
        self.assertEqual(self.kani("data", status=2).out, b"")
        self.assertIn('no command "built"', self.kani("data", "built", status=2).err)

    def test_what_is_missing_or_cannot_be_written(self) -> None:
        def lines(*arguments: object, status: int) -> list[str]:
            return self.kani("data", "build", *arguments, status=status).err.splitlines()

        self.assertEqual(lines("in", "--model", "nowhere", "--out", "out", status=4), ["kani-data: error: no such model: nowhere"])
        self.assertEqual(lines("nothing", "--model", MODEL, "--out", "out", status=4),
                         ["kani-data: error: no file or folder at nothing"])
        (self.work / "empty").mkdir()
        told = lines("empty", "--model", MODEL, "--out", "out", status=3)
        self.assertEqual(told[0], "kani-data: error: empty: no recordings in it")
        self.assertEqual(lines("in", "--model", MODEL / "lm", "--out", "out", status=4)[1],
                         "hint: --codec FILE.nemo names one with an encoder")
        (self.work / "file").write_text("in the way")
        self.assertEqual(self.error(status=5, out="file")[0], "kani-data: error: file: is no folder")
        self.assertIn("kani-data: error: cannot write", self.error(status=5, out="file/out")[0])
        self.assertIn("exists and is not empty", self.error(status=2, out="in")[0])
        if os.geteuid() != 0:
            (self.work / "locked").mkdir(mode=0o500)
            self.assertIn("kani-data: error: cannot write", self.error(status=5, out="locked/out")[0])

    def test_work_of_other_settings_is_not_mixed_in(self) -> None:
        self.build()
        told = self.error("--language-tags", status=2)
        self.assertIn("was begun otherwise; what differs: language_tags", told[0])
        self.assertEqual(told[1], "hint: name another --out, or begin again with --restart")
        self.build("--language-tags", "--restart")

    def test_a_set_of_bad_records_is_no_set(self) -> None:
        for sound in (self.work / "in").glob("*.wav"):
            sound.write_bytes(b"noise")
        told = self.error(status=3)
        self.assertEqual(told[0], "kani-data: error: no clip is left; of 12 records 12 were rejected as audio")
        self.assertFalse((self.work / "out" / "MANIFEST").exists())


class OtherPrograms(Journey):
    """kani data and kani train become the programs of these names."""

    def setUp(self) -> None:
        super().setUp()
        (self.work / "bin").mkdir()
        shutil.copy(Setup.bin / "kani", self.work / "bin" / "kani")

    def run_copy(self, *arguments: str) -> Ended:
        ended = subprocess.run([self.work / "bin" / "kani", *arguments], cwd=self.work, env=self.environment,
                               capture_output=True, timeout=TIMEOUT_S)
        return Ended(ended.returncode, Blob(ended.stdout), ended.stderr.decode())

    def put(self, path: Path, name: str, says: str) -> None:
        path.mkdir(parents=True, exist_ok=True)
        program = path / name
        program.write_text(f'#!/bin/sh\necho {says} "$@"\nexit 42\n')
        program.chmod(0o755)

    def test_beside_it_then_in_libexec_then_on_path(self) -> None:
        for place, says in ((self.folder / "path", "path"), (self.work / "libexec" / "kani", "libexec"), (self.work / "bin", "beside")):
            self.put(place, "kani-data", says)
            ended = self.run_copy("data", "build", "-hf", "--x=", "two words")
            self.assertEqual((ended.status, ended.out), (42, f"{says} build -hf --x= two words\n".encode()))
        self.assertEqual(self.run_copy("help", "data").out, b"beside --help\n")

    def test_without_them_it_says_how_to_get_them(self) -> None:
        for name, how in (("data", "installed beside it"), ("train", "tools/libtorch.sh")):
            ended = self.run_copy(name, "--help")
            self.assertEqual(ended.status, 4)
            error, hint = ended.err.splitlines()
            self.assertEqual(error, f"kani: error: kani {name} is the program kani-{name}, which is not installed")
            self.assertTrue(hint.startswith("hint: ") and how in hint, hint)

    def test_help_and_completion_name_them(self) -> None:
        text = self.kani("--help").out.decode()
        for name in ("data", "train"):
            self.assertRegex(text, rf"(?m)^  {name} ")
            for shell in ("bash", "zsh", "fish"):
                self.assertIn(name, self.kani("completion", shell).out.decode())
