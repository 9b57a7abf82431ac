"""journeys_texts.py - completion scripts and the manual page against the flags that the program has."""

from __future__ import annotations

import re
import shutil
import subprocess

from journey import ROOT, Journey, Setup

COMMANDS = ("say", "voice add", "voice list", "voice show", "voice rm", "voice mix", "voice export", "voice import", "models list", "models show", "convert", "check", "doctor", "bench", "eval", "completion", "help")
MANUAL = ROOT / "docs" / "man" / "kani.1"


class Texts(Journey):
    """What is written about flags is generated from them or compared with them."""

    def flags(self, command: str) -> set[str]:
        help_text = self.kani("help", *command.split()).out.decode()
        rows = [line for line in help_text.splitlines() if re.match(r"  -", line)]
        return {word for row in rows for word in re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", row.split("   ")[0])}

    def complete(self, *words: str) -> list[str]:
        """What bash offers for the last word."""
        quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
        script = (f"source <({Setup.bin}/kani completion bash)\n"
                  f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n_kani\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n")
        bash = shutil.which("bash")
        if bash is None:
            self.skipTest("bash is not installed")
        ended = subprocess.run([bash, "-u", "-c", script], cwd=self.work, env={**self.environment, "PATH": "/usr/bin:/bin"},
                               capture_output=True, text=True)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        return ended.stdout.split()

    def test_bash_completes_subcommands_flags_values_and_files(self) -> None:
        self.assertEqual(self.complete("kani", "s"), ["say"])
        self.assertIn("models", self.complete("kani", ""))
        self.assertEqual(self.complete("kani", "models", "sh"), ["show"])
        self.assertEqual(self.complete("kani", "say", "--dtype", ""), ["auto", "f32", "bf16", "q8", "q4"])
        self.assertEqual(self.complete("kani", "say", "--dtype", "b"), ["bf16"])
        self.assertEqual(self.complete("kani", "completion", "z"), ["zsh"])
        self.assertEqual(self.complete("kani", "say", "--output-f"), ["--output-file"])
        (self.work / "some file.txt").write_text("")
        (self.work / "folder").mkdir()
        self.assertEqual(self.complete("kani", "say", "-i", "some"), ["some", "file.txt"])
        self.assertEqual(self.complete("kani", "say", "-d", ""), ["folder"])

    def test_bash_knows_every_flag(self) -> None:
        for command in COMMANDS:
            offered = set(self.complete("kani", *command.split(), "-"))
            self.assertEqual(offered, self.flags(command), command)

    def test_zsh_and_fish_scripts_name_every_flag(self) -> None:
        zsh, fish = (self.kani("completion", shell).out.decode() for shell in ("zsh", "fish"))
        for command in COMMANDS:
            for flag in self.flags(command):
                self.assertIn(flag, zsh)
                self.assertRegex(fish, rf" -{'l' if flag.startswith('--') else 's'} {flag.lstrip('-')}\b")

    def check_syntax(self, shell: str, *flags: str) -> None:
        program = shutil.which(shell)
        if program is None:
            self.skipTest(f"{shell} is not installed")
        script = self.kani("completion", shell).out
        (self.work / "script").write_bytes(script)
        ended = subprocess.run([program, *flags, "script"], cwd=self.work, capture_output=True, text=True)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))

    def test_zsh_can_read_its_script(self) -> None:
        self.check_syntax("zsh", "-n")

    def test_fish_can_read_its_script(self) -> None:
        self.check_syntax("fish", "--no-execute")

    def test_the_manual_names_every_flag_and_no_other(self) -> None:
        page = MANUAL.read_text().replace("\\-", "-")
        # Words of examples for the environment, and the two spellings of one dash that are rewritten.
        named = set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", page)) - {"--foo-bar"}
        # The scripts complete `kani bench` as one subcommand; its second word is in the manual all the same.
        known = {"--version"} | {flag for command in (*COMMANDS, "bench quality") for flag in self.flags(command)}
        one_dash = {"-hf", "-hff", "-hft", "-ngl", "-dev", "-lv"}
        self.assertEqual(known - named, set(), "flags that the manual leaves out")
        self.assertEqual({flag for flag in named if flag.startswith("--")} - known, set(), "flags that do not exist")
        self.assertLessEqual(one_dash, named)

    def test_the_manual_renders_without_a_warning(self) -> None:
        groff = shutil.which("groff")
        if groff is None:
            self.skipTest("groff is not installed")
        ended = subprocess.run([groff, "-man", "-ww", "-Tutf8", str(MANUAL)], capture_output=True, text=True)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        for heading in ("NAME", "SYNOPSIS", "EXIT STATUS", "EXAMPLES"):
            self.assertIn(heading, re.sub(r"\033\[[0-9;]*m|.\x08", "", ended.stdout))
