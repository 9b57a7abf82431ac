"""journeys_convert.py - models stored in 8 and 4 bits: made, spoken with, checked, refused, never half there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from journey import TEXT, Journey, Setup


class Convert(Journey):
    """The model is the random one."""

    def setUp(self) -> None:
        super().setUp()
        self.environment["KANI_MODEL"] = str(Setup.tiny())

    def sound(self, *arguments: object) -> bytes:
        return self.kani("say", "-n", "24", "-s", "1", *arguments, "-o", "-", TEXT).out

    def convert(self, dtype: str, *arguments: object, status: int = 0, where: str = "out") -> str:
        ended = self.kani("convert", where, "--dtype", dtype, *arguments, status=status)
        return ended.out.decode() if status == 0 else ended.messages()[0]

    def test_a_stored_model_speaks_as_one_quantized_at_load(self) -> None:
        for dtype in ("q8", "q4"):
            told = self.convert(dtype, "--calibration", "0", where=dtype)
            self.assertRegex(told, rf"^{dtype}: {dtype}, [\d.]+ \wB of weights, from [\d.]+ \wB\n$")
            self.assertEqual(self.sound("-m", dtype), self.sound("--dtype", dtype))
            self.assertEqual(self.sound("-m", dtype, "--dtype", dtype, "--load-mode", "none"), self.sound("-m", dtype))

    def test_calibration_gives_the_same_model_each_time(self) -> None:
        for name in ("one", "two"):
            told = self.kani("convert", name, "--dtype", "q4", "--calibration", "300", "--json").out
            self.assertEqual(json.loads(told)["stored_type"], "q4")
        weights = Path("lm") / "model.safetensors"
        self.assertEqual(self.content(str("one" / weights)), self.content(str("two" / weights)))
        self.sound("-m", "one")

    def test_a_stored_model_is_described_and_checked(self) -> None:
        self.convert("q4", "--calibration", "0")
        shown = json.loads(self.kani("models", "show", "out", "--json").out)
        before = json.loads(self.kani("models", "show", "--json").out)
        self.assertEqual(shown["stored_type"], "q4")
        for key in ("parameters", "layers", "voices", "sample_rate_hz"):
            self.assertEqual(shown[key], before[key])
        self.assertIn("matrices stored as q4", self.kani("check", "--check-tensors", "out").out.decode())

    def test_what_exists_stays_unless_it_is_a_model_and_force_is_given(self) -> None:
        self.convert("q8")
        before = self.content("out/lm/model.safetensors")
        self.assertEqual(self.convert("q4", status=5), "kani: error: out exists")
        self.assertEqual(self.content("out/lm/model.safetensors"), before)
        self.convert("q4", "--force", "--calibration", "0")
        self.assertNotEqual(self.content("out/lm/model.safetensors"), before)
        (self.work / "letters").mkdir()
        (self.work / "letters" / "a.txt").write_text("dear")
        self.assertIn("is no model folder", self.convert("q8", "--force", status=5, where="letters"))
        self.assertEqual(self.files(self.work / "letters"), ["a.txt"])
        self.assertEqual(sorted(p.name for p in self.work.iterdir()), ["letters", "out"])

    def test_what_cannot_be_is_refused(self) -> None:
        self.assertIn("a model can be stored as q8 or q4", self.convert("bf16", status=2))
        self.convert("q8")
        self.assertIn("is stored as q8 already", self.convert("q4", "-m", "out", status=2, where="twice"))
        ended = self.kani("say", "-m", "out", "--dtype", "f32", "-o", "x.wav", TEXT, status=2)
        self.assertIn("holds q8 and can be used as nothing else", ended.messages()[0])
        self.assertIn("is the model itself or lies in it", self.convert("q8", status=2, where=str(Setup.tiny() / "lm" / "q8")))
        self.kani("convert", "no", "-m", "nothing-here", status=4)
        self.assertEqual([p.name for p in self.work.iterdir()], ["out"])

    def test_a_damaged_or_newer_file_is_refused_in_one_line(self) -> None:
        self.convert("q8")
        path = self.work / "out" / "lm" / "model.safetensors"
        good = path.read_bytes()
        path.write_bytes(good.replace(b'"kani_stored_version":"1"', b'"kani_stored_version":"9"', 1))
        ended = self.kani("say", "-m", "out", "-o", "x.wav", TEXT, status=3)
        self.assertIn("stored form of version 9, this program reads 1", ended.messages()[0])
        self.assertTrue(ended.messages()[1].startswith("hint: convert the model again"))
        path.write_bytes(good.replace(b"feed_forward.w13.q8", b"feed_forward.w31.q8", 1))
        self.assertIn("missing stored matrices: ", self.kani("check", "out", status=3).messages()[0])
        path.write_bytes(good[:-64])
        self.kani("check", "out", status=3)
        self.assertEqual([p.name for p in self.work.iterdir()], ["out"])

    def test_a_full_disk_leaves_nothing(self) -> None:
        disk = self.folder / "disk"
        disk.mkdir()
        mount = shutil.which("mount")
        if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)],
                                           capture_output=True).returncode:
            self.skipTest("a small disk cannot be mounted here")
        self.addCleanup(subprocess.run, [shutil.which("umount") or "umount", str(disk)])
        ended = self.kani("convert", disk / "out", status=5)
        self.assertIn("No space left", ended.messages()[0])
        self.assertEqual(self.files(disk), [])
