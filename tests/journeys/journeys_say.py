"""journeys_say.py - kani say: where text comes from, where sound goes, what is told about it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from journey import SUMMARY, TEXT, Blob, Journey, Samples, Setup, read_wav



class Output(Journey):
    """Files, pipes, folders."""

    def test_a_file_holds_sound_and_nothing_lies_beside_it(self) -> None:
        ended = self.say("-o", "hello.wav", TEXT)
        self.assertEqual(self.files(), ["hello.wav"])
        self.assertEqual(ended.out, b"")
        wav = read_wav(self.content("hello.wav"))
        self.assertEqual(wav.rate_hz, 22050)
        self.assertEqual(wav.header_bytes, 44)
        self.assertFalse(wav.streaming)
        self.assertGreater(wav.seconds, 0.2)
        self.assertGreater(wav.level, 1e-4)

    def test_every_ending_is_a_format_of_its_own(self) -> None:
        for ending, magic in (("wav", b"RIFF"), ("flac", b"fLaC"), ("opus", b"OggS"), ("ogg", b"OggS")):
            self.say("-o", f"x.{ending}", TEXT)
            self.assertTrue(self.content(f"x.{ending}").startswith(magic), ending)
        for ending in ("mp3", "aac"):
            self.say("--no-tags", "-o", f"x.{ending}", TEXT)
            first, second = self.content(f"x.{ending}")[:2]
            self.assertEqual((first, second & 0xE0), (0xFF, 0xE0), ending)
        for ending in ("pcm", "raw"):
            self.say("-o", f"x.{ending}", TEXT)
        raw = self.content("x.raw")
        self.assertEqual(raw, self.content("x.pcm"))
        self.assertEqual(Samples("h", raw), read_wav(self.content("x.wav")).samples)

    def test_a_file_says_that_the_speech_is_synthetic_unless_told_not_to(self) -> None:
        self.say("-o", "a.wav", TEXT)
        self.say("--no-tags", "-o", "b.wav", TEXT)
        tagged, plain = self.content("a.wav"), self.content("b.wav")
        self.assertIn("LIST", read_wav(tagged).chunks)
        self.assertIn(b"kani", tagged)
        self.assertEqual(read_wav(plain).chunks, ["fmt ", "data"])
        self.assertEqual(read_wav(plain).samples, read_wav(tagged).samples)

    def test_a_pipe_gets_a_streaming_wav_without_being_asked(self) -> None:
        wav = read_wav(self.say(TEXT).out)
        self.assertTrue(wav.streaming)
        self.assertEqual(wav.header_bytes, 44)
        self.assertEqual(wav.samples, read_wav(self.say("-o", "-", TEXT).out).samples)
        self.assertEqual(self.files(), [])

    def test_raw_output_is_samples_alone(self) -> None:
        raw = self.say("--output-raw", TEXT).out
        self.assertEqual(Samples("h", raw), read_wav(self.say(TEXT).out).samples)

    def test_streaming_files_have_the_same_sound(self) -> None:
        self.say("-o", "whole.wav", TEXT)
        self.say("--stream", "-o", "stream.wav", TEXT)
        stream = read_wav(self.content("stream.wav"))
        self.assertTrue(stream.streaming)
        self.assertEqual(stream.samples, read_wav(self.content("whole.wav")).samples)

    def test_a_folder_gets_a_numbered_file_for_each_text(self) -> None:
        ended = self.say("--lines", "-d", "out/deep", text="One.\n\n  \nTwo.\r\nThree.")
        names = ["out/deep/0001.wav", "out/deep/0002.wav", "out/deep/0003.wav"]
        self.assertEqual(ended.out.decode().splitlines(), names)
        self.assertEqual(self.files(), ["out", "out/deep", *names])
        for name in names:
            self.assertGreater(read_wav(self.content(name)).seconds, 0.1)

    def test_an_older_file_is_replaced_whole(self) -> None:
        (self.work / "x.wav").write_bytes(b"old")
        self.say("-o", "x.wav", TEXT)
        self.assertTrue(self.content("x.wav").startswith(b"RIFF"))

    def test_a_fifo_is_written_into_and_not_replaced(self) -> None:
        os.mkfifo(self.work / "pipe.wav")
        reader = subprocess.Popen(["/bin/cat", str(self.work / "pipe.wav")], stdout=subprocess.PIPE)
        self.addCleanup(self._end, reader)
        self.say("-o", "pipe.wav", TEXT)
        self.assertTrue(read_wav(reader.communicate()[0]).streaming)
        self.assertTrue((self.work / "pipe.wav").is_fifo())

    def test_a_device_needs_no_ending(self) -> None:
        self.say("-o", "/dev/null", TEXT)
        self.assertTrue(Path("/dev/null").is_char_device())

    def test_the_sample_rate_changes_and_the_length_stays(self) -> None:
        native = read_wav(self.say(TEXT).out)
        for rate in (8000, 44100):
            wav = read_wav(self.say("--sample-rate", rate, TEXT).out)
            self.assertEqual(wav.rate_hz, rate)
            self.assertAlmostEqual(wav.seconds, native.seconds, delta=0.02)

    def test_a_player_gets_the_sound(self) -> None:
        self.put_player(f"exec /bin/cat > {self.work}/played\n")
        self.say("--play", TEXT)
        played = self.content("played")
        samples = read_wav(self.say(TEXT).out).samples
        self.assertIn(Blob(samples.tobytes()), played)

    def test_playing_goes_beside_a_file(self) -> None:
        self.put_player(f"exec /bin/cat > {self.work}/played\n")
        self.say("--play", "-o", "x.wav", TEXT)
        samples = read_wav(self.content("x.wav")).samples
        self.assertIn(Blob(samples.tobytes()), self.content("played"))

    def test_without_a_player_output_wav_is_written(self) -> None:
        ended = self.say("--play", TEXT)
        self.assertIn("no player found", ended.err)
        self.assertIn("output.wav", ended.err)
        self.assertEqual(self.files(), ["output.wav"])


class Input(Journey):
    """Arguments, files, standard input, lines, JSON."""

    def sound(self, *arguments: object, text: str | bytes = b"") -> bytes:
        return self.say("--output-raw", *arguments, text=text).out

    def test_arguments_files_and_stdin_are_the_same_text(self) -> None:
        (self.work / "a.txt").write_text(TEXT)
        spoken = self.sound(TEXT)
        self.assertGreater(len(spoken), 1000)
        self.assertEqual(self.sound(*TEXT.split()), spoken)
        self.assertEqual(self.sound("-i", "a.txt"), spoken)
        self.assertEqual(self.sound(text=TEXT), spoken)
        self.assertEqual(self.sound("-i", "-", text=TEXT), spoken)
        self.assertEqual(self.sound("--input_file", "a.txt"), spoken)

    def test_a_byte_order_mark_is_dropped(self) -> None:
        spoken = self.sound(TEXT)
        self.assertEqual(self.sound(text=b"\xef\xbb\xbf" + TEXT.encode()), spoken)
        self.assertEqual(self.sound("--lines", text=b"\xef\xbb\xbf" + TEXT.encode()), spoken)

    def test_words_that_are_subcommands_or_flags_are_text(self) -> None:
        self.assertGreater(len(self.sound("help", "me", "check", "this")), 1000)
        self.assertGreater(len(self.sound("--", "--voice", "-5")), 1000)
        self.assertEqual(self.sound("say", "-5", "degrees"), self.sound("--", "say", "-5", "degrees"))

    def test_brackets_stay_in_the_text(self) -> None:
        """The command line library cuts them off; a pause of a second would be lost."""
        short = self.sound("Yes. No.")
        long = self.sound("Yes.", "[pause:1s]", "No.")
        self.assertGreater(len(long), len(short) + 20000)

    def test_several_files_are_several_texts(self) -> None:
        (self.work / "a.txt").write_text("One.")
        (self.work / "b.txt").write_text("Two.")
        ended = self.say("-d", "out", "-i", "a.txt", "-i", "-", "-i", "b.txt", text="Three.")
        self.assertEqual(len(ended.out.decode().splitlines()), 3)
        self.assertEqual(len([line for line in ended.lines() if SUMMARY.match(line)]), 3)

    def test_lines_in_one_file_are_parted_by_the_silence(self) -> None:
        def length(*arguments: object, text: str) -> int:
            return len(self.sound("--lines", *arguments, text=text)) // 2

        one, two = length(text="One.\n"), length(text="Two.\n")
        both = length("--sentence-silence", "0.5", text="One.\nTwo.\n")
        self.assertEqual(both, one + two + 11025)

    def test_lines_of_a_pipe_are_spoken_as_they_come(self) -> None:
        process = self.start("say", "-n", "60", "--lines", "-d", "out")
        assert process.stdin and process.stdout
        for number in (1, 2):
            process.stdin.write(f"Line {number}.\n".encode())
            process.stdin.flush()
            self.assertEqual(process.stdout.readline().decode().strip(), f"out/000{number}.wav")
            self.assertTrue((self.work / f"out/000{number}.wav").exists())
        process.stdin.close()
        self.assertEqual(process.wait(30), 0)

    def test_json_lines_name_file_seed_speed_and_voice(self) -> None:
        lines = [
            {"text": TEXT, "output_file": "a.wav", "seed": 1},
            {"text": TEXT, "output_file": "b.wav", "seed": 1, "speed": 2.0},
            {"text": TEXT, "output_file": "c.wav", "seed": 7},
            {"text": TEXT, "output_file": "d.wav", "seed": 1, "speaker": "random"},
        ]
        ended = self.say("--json-input", text="\n".join(json.dumps(line) for line in lines))
        self.assertEqual(ended.out.decode().split(), ["a.wav", "b.wav", "c.wav", "d.wav"])
        a, b, c, d = (read_wav(self.content(name)) for name in ("a.wav", "b.wav", "c.wav", "d.wav"))
        self.assertEqual(a.samples, read_wav(self.say(TEXT).out).samples)
        self.assertAlmostEqual(b.seconds, a.seconds / 2, delta=0.1)
        self.assertNotEqual(a.samples, c.samples)
        self.assertNotEqual(a.samples, d.samples)

    def test_json_lines_without_a_file_share_the_output(self) -> None:
        ended = self.say("--json-input", "-o", "all.wav", text='{"text":"One."}\n{"text":"Two.","unknown":1}\n')
        self.assertEqual(self.files(), ["all.wav"])
        self.assertIn("unknown key unknown", ended.err)

    def test_markdown_is_dropped_for_md_files(self) -> None:
        (self.work / "a.md").write_text("# Title\n\nSome [linked](https://example.com/page) words.\n")
        (self.work / "a.txt").write_text("# Title\n\nSome [linked](https://example.com/page) words.\n")
        stripped = self.sound("-i", "a.md")
        self.assertEqual(self.sound("--markdown", "strip", "-i", "a.txt"), stripped)
        self.assertNotEqual(self.sound("--markdown", "keep", "-i", "a.md"), stripped)
        self.assertNotEqual(self.sound("-i", "a.txt"), stripped)


class Speech(Journey):
    """What the flags do to the sound, and what is told about it."""

    def test_the_same_seed_gives_the_same_bytes(self) -> None:
        for name in ("a.wav", "b.wav"):
            self.kani("say", "-n", "60", "-s", "42", "-o", name, TEXT)
        self.kani("say", "-n", "60", "-s", "43", "-o", "c.wav", TEXT)
        a, b, c = (self.content(name) for name in ("a.wav", "b.wav", "c.wav"))
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)

    def test_the_seed_that_was_taken_can_be_used_again(self) -> None:
        first = self.kani("say", "-n", "60", "--output-raw", TEXT)
        match = SUMMARY.match(first.lines()[-1])
        assert match
        again = self.kani("say", "-n", "60", "-s", match.group(1), "--output-raw", TEXT)
        self.assertEqual(first.out, again.out)
        self.assertNotEqual(first.out, self.kani("say", "-n", "60", "-s", "-1", "--output-raw", TEXT).out)

    def test_speed_and_length_scale_are_inverse(self) -> None:
        one = read_wav(self.say(TEXT).out)
        fast = read_wav(self.say("--speed", "2", TEXT).out)
        self.assertAlmostEqual(fast.seconds, one.seconds / 2, delta=0.1)
        self.assertEqual(read_wav(self.say("--length-scale", "0.5", TEXT).out).samples, fast.samples)
        self.assertEqual(read_wav(self.say("--length_scale", "0.5", TEXT).out).samples, fast.samples)

    def test_volume_is_a_factor(self) -> None:
        one = read_wav(self.say(TEXT).out)
        half = read_wav(self.say("--volume", "0.5", TEXT).out)
        self.assertAlmostEqual(half.level, one.level / 2, delta=one.level * 0.02)
        self.assertEqual(set(read_wav(self.say("--volume", "0", TEXT).out).samples), {0})

    def test_numbers_are_spelled_out_unless_told_not_to(self) -> None:
        raw = self.say("--output-raw", "1984 and 42%.").out
        self.assertNotEqual(raw, self.say("--output-raw", "--no-text-normalization", "1984 and 42%.").out)

    def test_cut_off_sound_is_a_warning_and_an_error_with_strict(self) -> None:
        ended = self.say("-n", "8", "-o", "x.wav", TEXT)
        self.assertIn("cut off at the token limit", ended.err)
        ended = self.say("-n", "8", "--strict", "-o", "x.wav", TEXT, status=6)
        self.assertIn("kani: error: the sound is incomplete", ended.err)
        self.assertEqual(self.files(), ["x.wav"])

    def test_the_summary_is_one_line_and_quiet_has_none(self) -> None:
        self.assertRegex("\n".join(self.say("-o", "x.wav", TEXT).lines()), SUMMARY)
        self.assertEqual(self.say("-q", "-o", "x.wav", TEXT).err, "")

    def test_json_tells_the_same(self) -> None:
        ended = self.say("--json", "-o", "x.wav", TEXT)
        self.assertEqual(ended.lines(), [])
        told = json.loads(ended.out)
        wav = read_wav(self.content("x.wav"))
        self.assertAlmostEqual(told["sound_s"], wav.seconds, delta=0.01)
        self.assertEqual((told["seed"], told["output_file"]), (1, "x.wav"))
        piped = self.say("--json", TEXT)
        self.assertEqual(read_wav(piped.out).samples, wav.samples)
        self.assertEqual(json.loads(piped.lines()[-1])["seed"], 1)

    def test_subtitles_and_timestamps_cover_the_sound(self) -> None:
        self.say("-o", "x.wav", "--srt", "x.srt", "--vtt", "x.vtt", "--timestamps", "x.json", "--lines",
                 text="Good morning.\nThis is Helen.\n")
        wav = read_wav(self.content("x.wav"))
        told = json.loads((self.work / "x.json").read_text())
        self.assertAlmostEqual(told["sound_s"], wav.seconds, delta=0.01)
        first, second = told["segments"]
        self.assertEqual((first["start"], first["text_index"], second["text_index"]), (0, 0, 1))
        self.assertAlmostEqual(second["start"] - first["end"], 0.2, delta=0.02)
        self.assertAlmostEqual(second["end"], wav.seconds, delta=0.02)
        self.assertIn("Helen", second["text"])
        self.assertEqual((self.work / "x.srt").read_text().count(" --> "), 2)
        self.assertTrue((self.work / "x.vtt").read_text().startswith("WEBVTT\n\n00:00:00.000 --> "))

    def test_voices_are_found_in_folders_and_by_path(self) -> None:
        (self.folder / "voices").mkdir()
        voice = {"embedding": [0.0883883] * 128}
        (self.folder / "voices" / "Mine.json").write_text(json.dumps(voice))
        by_name = self.say("--voices", self.folder / "voices", "--voice", "mine", "--output-raw", TEXT).out
        by_path = self.say("--voice", self.folder / "voices" / "Mine.json", "--output-raw", TEXT).out
        self.assertEqual(by_name, by_path)
        self.assertNotEqual(by_name, self.say("--voice", "random", "--output-raw", TEXT).out)

    def test_flags_that_change_nothing_are_accepted(self) -> None:
        self.say("--no-normalize", "--offline", "--gpu-layers", "0", "-ngl", "auto", "-dev", "cpu", "--markdown", "keep",
                 "--load-mode", "none", "--check-tensors", "-t", "2", "--dtype", "f32", "-o", "x.wav", TEXT)

    def test_the_model_beside_the_program_is_found(self) -> None:
        del self.environment["KANI_MODEL"]
        if not (Setup.bin.parents[1] / "models" / "kani-mini").is_dir() and not (
                Setup.bin.parents[2] / "models" / "kani-mini").is_dir():
            self.skipTest("no models/kani-mini above the program")
        self.say("-o", "x.wav", TEXT)
