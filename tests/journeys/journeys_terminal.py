"""journeys_terminal.py - what the program does at a terminal, and when it is interrupted."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from typing import Callable

from journey import TEXT, TIMEOUT_S, Blob, Journey, Setup, read_wav
from sounds import speech, wav

LONG_TEXT = "This is a sentence that goes on for a while. " * 40


class Terminal(Journey):
    """The program on a pseudo terminal of 100 columns."""

    def open_terminal(self) -> tuple[int, int]:
        main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.addCleanup(os.close, main)
        return main, other

    def at_terminal(self, *arguments: object, typed: bytes = b"", status: int = 0,
                    pipe_out: bool = False) -> tuple[str, bytes]:
        """All three streams at a terminal (or stdout in a pipe): what the terminal showed, what the pipe got."""
        main, other = self.open_terminal()
        process = self.start(*arguments, stdin=other, stderr=other, stdout=subprocess.PIPE if pipe_out else other,
                             start_new_session=True)
        os.close(other)
        if typed:
            os.write(main, typed)
        shown, piped = self.collect(main, process)
        self.assertEqual(process.wait(TIMEOUT_S), status, shown)
        return shown, piped

    def collect(self, main: int, process: subprocess.Popen[bytes]) -> tuple[str, bytes]:
        sources = [main] + ([process.stdout.fileno()] if process.stdout else [])
        got = {source: b"" for source in sources}
        limit = time.monotonic() + TIMEOUT_S
        while sources and time.monotonic() < limit:
            for source in select.select(sources, [], [], 1)[0]:
                try:
                    part = os.read(source, 65536)
                except OSError:  # Linux tells the end of a terminal this way
                    part = b""
                if not part:
                    sources.remove(source)
                got[source] += part
        shown = got[main].decode("utf-8", "replace")
        return shown, got[process.stdout.fileno()] if process.stdout else b""

    def test_a_bar_runs_and_leaves_the_summary_alone_on_its_line(self) -> None:
        shown, _ = self.at_terminal("say", "-n", "200", "-o", "x.wav", LONG_TEXT)
        self.assertRegex(shown, r"\rsentence 1/\d+ \[[#-]{24}\]  \d+\.\d s of sound  RTF \d+\.\d\d")
        self.assertRegex(shown, r"\d+ s left|\d:\d\d left")
        self.assertNotIn("\033", shown)
        last = re.split(r"[\r\n]+", shown.strip())[-1]
        self.assertRegex(last, r"^\d+\.\d s of sound in .* seed \d+$")
        for line in re.split(r"[\r\n]+", shown):
            self.assertLess(len(line), 100)

    def test_quiet_shows_nothing(self) -> None:
        self.assertEqual(self.at_terminal("say", "-q", "-n", "60", "-o", "x.wav", TEXT)[0], "")

    def test_no_bar_without_a_terminal(self) -> None:
        self.assertNotIn("\r", self.say("-o", "x.wav", LONG_TEXT).err)

    def test_sound_is_played_when_no_output_is_named(self) -> None:
        self.put_player(f"exec /bin/cat > {self.work}/played\n")
        self.at_terminal("say", "-n", "60", "-s", "1", TEXT)
        samples = read_wav(self.say(TEXT).out).samples
        self.assertIn(Blob(samples.tobytes()), self.content("played"))

    def test_output_wav_is_written_and_told_if_there_is_no_player(self) -> None:
        shown, _ = self.at_terminal("say", "-n", "60", TEXT)
        self.assertIn("no player found", shown)
        self.assertIn("writing output.wav", shown)
        self.assertGreater(read_wav(self.content("output.wav")).seconds, 0.2)

    def test_a_pipe_still_gets_sound_when_messages_go_to_a_terminal(self) -> None:
        shown, piped = self.at_terminal("say", "-n", "60", TEXT, pipe_out=True)
        self.assertGreater(read_wav(piped).seconds, 0.2)
        self.assertIn("s of sound in", shown)

    def test_sound_is_not_poured_over_a_terminal(self) -> None:
        for flag in (("-o", "-"), ("--output-raw",)):
            shown, _ = self.at_terminal("say", *flag, TEXT, status=2)
            self.assertIn("stdout is a terminal", shown)

    def test_text_can_be_typed(self) -> None:
        shown, _ = self.at_terminal("say", "-n", "60", "-o", "x.wav", typed=b"Good morning.\n\x04")
        self.assertIn("end it with Ctrl-D", shown)
        self.assertEqual(self.files(), ["x.wav"])

    def test_errors_are_coloured_at_a_terminal_alone(self) -> None:
        red = "\033[1;31mkani: error:\033[0m"
        self.assertIn(red, self.at_terminal("say", "-m", "none", "x", status=4)[0])
        self.assertNotIn("\033", self.at_terminal("say", "--log-colors", "off", "-m", "none", "x", status=4)[0])
        self.assertNotIn("\033", self.kani("say", "-m", "none", "x", status=4).err)
        self.assertIn(red, self.kani("say", "--log-colors", "on", "-m", "none", "x", status=4).err)
        self.environment["NO_COLOR"] = "1"
        self.assertNotIn("\033", self.at_terminal("say", "-m", "none", "x", status=4)[0])
        del self.environment["NO_COLOR"]
        self.environment["TERM"] = "dumb"
        self.assertNotIn("\033", self.at_terminal("say", "-m", "none", "x", status=4)[0])
        self.environment["CLICOLOR_FORCE"] = "1"
        self.environment["TERM"] = "xterm"
        self.assertIn(red, self.kani("say", "-m", "none", "x", status=4).err)

    def test_log_lines_do_not_run_into_the_bar(self) -> None:
        shown, _ = self.at_terminal("say", "-n", "8", "--lines", "-o", "x.wav", "-i", "-",
                                    typed=(LONG_TEXT.strip() + "\n").encode() + b"\x04")
        for line in shown.split("\n"):
            if "kani: warning:" in line:
                self.assertRegex(line.split("\r")[-2 if line.endswith("\r") else -1], r"^(\033\[1;33m)?kani: warning:")


class Interrupted(Journey):
    """SIGINT, SIGTERM, readers that leave."""

    def speak_long(self, *arguments: object) -> subprocess.Popen[bytes]:
        return self.start("say", *arguments, LONG_TEXT * 20, stdin=subprocess.DEVNULL)

    def interrupt(self, process: subprocess.Popen[bytes], number: signal.Signals, ready: Callable[[], bool]) -> str:
        self.wait_for(ready, "the sound to begin")
        process.send_signal(number)
        process.wait(20)
        assert process.stderr
        return process.stderr.read().decode()

    def has_temporary(self) -> bool:
        """The output has been begun under a temporary name and has grown."""
        return any(path.is_file() and path.stat().st_size > 100_000 for path in self.work.rglob("*"))

    def test_signals_leave_no_file_and_their_status(self) -> None:
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = self.speak_long("-o", "x.wav")
            err = self.interrupt(process, number, self.has_temporary)
            self.assertEqual(process.returncode, status, err)
            self.assertEqual(self.files(), [])
            self.assertEqual([line for line in err.splitlines() if "kani: error:" in line],
                             [f"kani: error: interrupted ({number.name})"])

    def test_a_streamed_file_is_not_left_behind_either(self) -> None:
        process = self.speak_long("--stream", "-o", "x.wav")
        err = self.interrupt(process, signal.SIGINT, self.has_temporary)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(self.files(), [])

    def test_finished_files_of_a_folder_stay(self) -> None:
        (self.work / "in.txt").write_text("One.\n" + LONG_TEXT * 20 + "\n")
        process = self.start("say", "-n", "60", "--lines", "-d", "out", "-i", "in.txt")
        assert process.stdout
        self.assertEqual(process.stdout.readline(), b"out/0001.wav\n")
        err = self.interrupt(process, signal.SIGTERM, lambda: len(self.files(self.work / "out")) == 2)
        self.assertEqual(process.returncode, 143, err)
        self.assertEqual(self.files(self.work / "out"), ["0001.wav"])

    def test_a_signal_while_it_waits_for_lines_ends_it(self) -> None:
        process = self.start("say", "-n", "60", "--lines", "-o", "x.wav")
        assert process.stdin
        process.stdin.write(b"One.\n")
        process.stdin.flush()
        err = self.interrupt(process, signal.SIGINT, self.has_small_temporary)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(self.files(), [])

    def has_small_temporary(self) -> bool:
        return any(path.is_file() and path.stat().st_size > 1000 for path in self.work.rglob("*"))

    def test_a_signal_while_it_waits_for_text_ends_it_at_once(self) -> None:
        process = self.start("say", "-o", "x.wav")
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(5), 143)
        self.assertEqual(self.files(), [])

    def test_a_signal_while_it_listens_to_recordings_leaves_no_voice(self) -> None:
        (self.work / "a.wav").write_bytes(wav(speech(15)))
        (self.work / "voices").mkdir()
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = self.start("voice", "add", "anna", *["a.wav"] * 100, "--consent", "my own", "--voices", "voices")
            time.sleep(0.7)
            process.send_signal(number)
            self.assertEqual(process.wait(10), status)
            assert process.stderr
            self.assertIn(f"interrupted ({number.name})", process.stderr.read().decode())
            self.assertEqual([path.name for path in self.work.rglob("*") if path.is_file()], ["a.wav"])

    def test_a_signal_is_heard_while_the_reader_does_not_read(self) -> None:
        process = self.speak_long("--output-raw")
        time.sleep(3)  # the pipe is full and the program waits
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(10), 130)

    def test_the_second_signal_ends_it_at_once(self) -> None:
        """The player does not listen, so the polite end would wait for it."""
        self.put_player(f"trap '' TERM INT\n: > {self.work}/started\nexec /bin/sleep 8\n")
        process = self.start("say", "--play", LONG_TEXT * 20)
        self.wait_for((self.work / "started").exists, "the player")
        process.send_signal(signal.SIGINT)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(2)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(3), 130)

    def test_json_tells_of_it_in_json(self) -> None:
        process = self.speak_long("--json", "-o", "x.wav")
        err = self.interrupt(process, signal.SIGINT, self.has_temporary)
        self.assertIn('{"error":{"code":"cancelled","message":"interrupted (SIGINT)"}}', err)

    def test_a_reader_that_leaves_is_no_error(self) -> None:
        for flags in ((), ("--output-raw",)):
            process = self.speak_long(*flags)
            assert process.stdout and process.stderr
            self.assertEqual(len(process.stdout.read(44)), 44)
            process.stdout.close()
            self.assertEqual(process.wait(20), 0)
            self.assertNotIn("error", process.stderr.read().decode())

    def test_lists_end_quietly_when_their_reader_leaves(self) -> None:
        process = self.start("completion", "bash")
        assert process.stdout and process.stderr
        process.stdout.close()
        # Nothing had been written yet if the reader was gone at once; else the end is silent.
        self.assertIn(process.wait(20), (0, 5))

    def test_a_megabyte_of_text_is_taken(self) -> None:
        process = self.start("say", "-n", "60", "--output-raw")
        assert process.stdin and process.stdout
        process.stdin.write((LONG_TEXT * 600).encode()[:1_000_000])
        process.stdin.close()
        self.assertEqual(len(process.stdout.read(20_000)), 20_000)
        process.send_signal(signal.SIGINT)
        process.stdout.close()
        self.assertIn(process.wait(20), (0, 130))

    def test_closed_descriptors_do_no_harm(self) -> None:
        command = 'exec "$0" say -n 60 -o x.wav "Good morning." <&- >&- 2>&-'
        ended = subprocess.run(["/bin/sh", "-c", command, str(Setup.bin / "kani")], cwd=self.work, env=self.environment,
                               timeout=TIMEOUT_S)
        self.assertEqual(ended.returncode, 0)
        self.assertTrue(self.content("x.wav").startswith(b"RIFF"))
