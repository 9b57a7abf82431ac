"""journeys_memory.py - a book costs no more memory than a chapter."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from journey import Journey, slow

CHAPTER = ("It was a bright morning in the small town by the river. The baker had opened his shop, and the smell of bread "
           "went through the streets. Nobody knew yet what the day would bring. ")


class Memory(Journey):
    """Memory of its own that the program holds: pages of the mapped model file come and go as they are touched."""

    def peak_bytes(self, text: str) -> tuple[int, int]:
        """Speaks `text` from stdin to stdout: peak memory, bytes of sound."""
        process = self.start("say", "-s", "1", "-n", "16", "--output-raw")
        assert process.stdin and process.stdout and process.stderr
        status = Path(f"/proc/{process.pid}/status")
        pipes = (process.stdin, process.stdout)
        threading.Thread(target=lambda: (pipes[0].write(text.encode()), pipes[0].close()), daemon=True).start()
        peak = received = 0
        while part := process.stdout.read1(1 << 16):  # type: ignore[attr-defined]
            received += len(part)
            match = re.search(r"RssAnon:\s+(\d+) kB", status.read_text())
            if match:
                peak = max(peak, int(match.group(1)) * 1024)
        self.assertEqual(process.wait(60), 0, process.stderr.read().decode())
        self.assertGreater(peak, 1_000_000)
        return peak, received

    @slow
    def test_four_times_the_text_takes_no_more_memory(self) -> None:
        one, sound_of_one = self.peak_bytes(CHAPTER * 60)  # about 10,000 characters: more than is cut into pieces at once
        four, sound_of_four = self.peak_bytes(CHAPTER * 240)
        self.assertGreater(sound_of_four, sound_of_one * 3)
        # The text itself, its pieces and a page or two of the allocator; the sound alone would be several megabytes.
        self.assertLess(four - one, 2_000_000, f"{one} bytes, then {four}")
