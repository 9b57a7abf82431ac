"""sound.py - one teacher recording: 22,050 Hz mono 16-bit, trimmed, level, whole codec frames.

Kani's mini codec turns 1,764 samples into one frame, so files end where a frame ends and nothing is lost.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path

RATE_HZ = 22050
FRAME = 1764
LEAD = round(0.040 * RATE_HZ)
TAIL = round(0.120 * RATE_HZ)
PEAK = 0.7
# Silence is what stays below this share of the peak; breath and the onset of s and f lie above it.
THRESHOLD = 0.015
TINT_HZ = (250, 500, 1000, 1900, 3200, 5000, 7500)
HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


def resampled(path: Path, ratio: float, tint: Sequence[float] = ()) -> array[float]:
    """The file at 22,050 Hz and half its level (so that no overshoot clips), played `ratio` times as fast: pitch and
    formants move together.  `tint`: the same filter over all of it, dB around each of TINT_HZ; a twentieth of the level then."""
    speed = ["speed", f"{ratio:.4f}"] if ratio != 1 else []
    filters = [word for hertz, gain in zip(TINT_HZ, tint) for word in ("equalizer", str(hertz), "1.2q", f"{gain:.1f}")]
    level = "0.05" if filters else "0.5"
    command = ["sox", str(path), "-t", "f32", "-c", "1", "-", "vol", level, *speed, "rate", "-v", str(RATE_HZ), *filters]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"sox ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()[-200:]}")
    samples = array("f", done.stdout[: len(done.stdout) // 4 * 4])
    if sys.byteorder != "little":
        samples.byteswap()
    return samples


def trimmed(samples: array[float]) -> array[int]:
    """40 ms before the first sound, 120 ms behind the last, peak 0.7, zeros up to a whole frame."""
    peak = max(max(samples, default=0.0), -min(samples, default=0.0))
    if peak < 1e-3:
        raise ValueError(f"silent: {len(samples)} samples, peak {peak:.5f}")
    least = THRESHOLD * peak
    first = next(i for i, x in enumerate(samples) if abs(x) > least)
    last = next(i for i in range(len(samples) - 1, -1, -1) if abs(samples[i]) > least)
    scale = PEAK * 32767 / peak
    sound = [round(x * scale) for x in samples[max(0, first - LEAD) : last + 1 + TAIL]]
    missing_lead = max(0, LEAD - first)
    missing_tail = max(0, TAIL - (len(samples) - last - 1))
    sound = [0] * missing_lead + sound + [0] * missing_tail
    return array("h", sound + [0] * (-len(sound) % FRAME))


def write_wav(path: Path, samples: array[int]) -> None:
    """Whole or not at all."""
    data = array("h", samples)
    if sys.byteorder != "little":
        data.byteswap()
    size = 2 * len(data)
    header = HEADER.pack(b"RIFF", size + 36, b"WAVE", b"fmt ", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16, b"data", size)
    half = path.with_suffix(".part")
    half.write_bytes(header + data.tobytes())
    os.replace(half, path)


def finished_seconds(path: Path) -> float | None:
    """Seconds of a recording that write_wav has finished; None if there is none or it is broken."""
    try:
        with path.open("rb") as file:
            head = file.read(HEADER.size)
            size = os.fstat(file.fileno()).st_size - HEADER.size
    except OSError:
        return None
    if len(head) < HEADER.size:
        return None
    fields = HEADER.unpack(head)
    right = (fields[0], fields[1], fields[5:11], fields[12]) == (
        b"RIFF", size + 36, (1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16), size,
    )  # fmt: skip
    return size / 2 / RATE_HZ if right and size > 0 and size % (2 * FRAME) == 0 else None
