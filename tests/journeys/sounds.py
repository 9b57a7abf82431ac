"""sounds.py - recordings for journeys, made byte by byte: WAV of any kind, FLAC of many hours in a few kilobytes."""

from __future__ import annotations

import math
import random
import struct
from array import array


def speech(seconds: float, rate_hz: int = 16000, pitch_hz: float = 120) -> list[float]:
    """Syllables of a buzz with pauses and a little noise: what a detector of speech takes for it."""
    noise = random.Random(1)
    out = []
    for i in range(int(seconds * rate_hz)):
        t = i / rate_hz
        place = t % 0.5
        sample = noise.gauss(0, 0.001)
        if place < 0.3:
            buzz = sum(math.sin(2 * math.pi * pitch_hz * k * t) / k for k in range(1, 6))
            sample += 0.25 * math.sin(math.pi * place / 0.3) * buzz
        out.append(sample)
    return out


def wav(samples: list[float], rate_hz: int = 16000, channels: int = 1, floats: bool = False) -> bytes:
    """The same samples in every channel."""
    width = 4 if floats else 2
    if floats:
        data = array("f", [s for s in samples for _ in range(channels)]).tobytes()
    else:
        limited = [max(-32768, min(32767, round(s * 32767))) for s in samples]
        data = array("h", [s for s in limited for _ in range(channels)]).tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 3 if floats else 1,
                       channels, rate_hz, rate_hz * channels * width, channels * width, 8 * width, b"data", len(data))
    return head + data


def crc_table(polynomial: int, bits: int) -> list[int]:
    table = []
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1) ^ (polynomial if value >> (bits - 1) else 0)
            value &= (1 << bits) - 1
        table.append(value)
    return table


CRC8, CRC16 = crc_table(0x07, 8), crc_table(0x8005, 16)


def flac(hours: float, values: tuple[int, ...] = (0,)) -> bytes:
    """Mono 16-bit FLAC at 8 kHz of constant blocks, 8.2 s and about 15 bytes each, that take turns with `values`."""
    block, rate = 65535, 8000
    count = round(hours * 3600 * rate / block)
    info = struct.pack(">HH", block, block) + bytes(6)
    info += (rate << 44 | 0 << 41 | 15 << 36 | count * block).to_bytes(8, "big") + bytes(16)
    parts = [b"fLaC", b"\x80" + len(info).to_bytes(3, "big"), info]
    for number in range(count):
        # Fixed block size; size in 16 bits behind the number; 8 kHz; mono; 16 bits.
        head = b"\xff\xf8" + bytes([0x74, 0x08]) + coded_number(number) + struct.pack(">H", block - 1)
        crc = 0
        for byte in head:
            crc = CRC8[crc ^ byte]
        frame = head + bytes([crc, 0]) + struct.pack(">h", values[number % len(values)])
        crc = 0
        for byte in frame:
            crc = (crc << 8 & 0xFFFF) ^ CRC16[crc >> 8 ^ byte]
        parts.append(frame + struct.pack(">H", crc))
    return b"".join(parts)


def coded_number(number: int) -> bytes:
    """As UTF-8 codes characters; up to 65,535 here."""
    if number < 0x80:
        return bytes([number])
    if number < 0x800:
        return bytes([0xC0 | number >> 6, 0x80 | number & 63])
    return bytes([0xE0 | number >> 12, 0x80 | number >> 6 & 63, 0x80 | number & 63])
