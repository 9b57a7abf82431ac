#!/usr/bin/env python3
"""training_roofline.py - arithmetic of a training step: operations, bytes, and the times that a GPU's limits allow.

Nothing here is measured.  Counts follow what src/kani/train does for each element (device_ops.cc, cuda/*.cuh,
lfm2_module.cc); times are max(operations / peak, bytes / bandwidth), "expected" divides by the shares of the limits that
good kernels reach (--product-share, --memory-share: assumptions).  Prints the tables of docs/training-on-gpus.md.

usage: tools/training_roofline.py [--config config.json] [--elements 16384] [--length 545] [--number-bytes 2]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

# Peak of dense bf16 products in TFLOP/s, memory in TB/s: NVIDIA's data sheets (SXM).
GPUS = {"H100": (989.0, 3.35), "H200": (989.0, 4.8)}
NVLINK_GBS = 450.0  # one direction; 900 both
KANI_TTS_2 = {
    "hidden_size": 1024,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "intermediate_size": 4608,
    "vocab_size": 80538,
    "conv_L_cache": 3,
    "conv_layers": 10,
    "attention_layers": 6,
}


@dataclass
class Row:
    """A kind of work of a step, for all elements: operations and bytes."""

    name: str
    flop: float
    byte: float
    product: bool  # on tensor cores

    def ideal(self, gpu: str) -> float:
        peak, memory = GPUS[gpu]
        return max(self.flop / (peak * 1e12) if self.product else 0.0, self.byte / (memory * 1e12))

    def expected(self, gpu: str, product_share: float, memory_share: float) -> float:
        peak, memory = GPUS[gpu]
        products = self.flop / (peak * 1e12 * product_share) if self.product else 0.0
        return max(products, self.byte / (memory * 1e12 * memory_share))


class Model:
    def __init__(self, values: dict[str, int]) -> None:
        self.h = values["hidden_size"]
        self.heads, self.kv, self.d = (values[k] for k in ("num_attention_heads", "num_key_value_heads", "head_dim"))
        self.i, self.v, self.taps = values["intermediate_size"], values["vocab_size"], values["conv_L_cache"]
        self.conv, self.att = values["conv_layers"], values["attention_layers"]
        self.q, self.k = self.heads * self.d, self.kv * self.d

    def matrices(self) -> list[tuple[int, int]]:
        """Rows and columns of every matrix of the layers."""
        conv = [(3 * self.h, self.h), (self.h, self.h)]
        attention = [(self.q, self.h), (self.k, self.h), (self.k, self.h), (self.h, self.q)]
        feed_forward = [(self.i, self.h), (self.i, self.h), (self.h, self.i)]
        return self.conv * conv + self.att * attention + (self.conv + self.att) * feed_forward

    def layer_weights(self) -> int:
        return sum(m * n for m, n in self.matrices())

    def weights(self) -> int:
        return self.layer_weights() + self.v * self.h

    def flop(self, length: float) -> float:
        """Of a training step for one element (training.md 19.1)."""
        return 6.0 * self.weights() + 6.0 * self.att * self.q * length

    def kept(self) -> int:
        """Numbers that the backward pass finds for one element, loss apart."""
        layer = 4 * self.h + 3 * self.i  # two norms' inputs and outputs; gate, up, their product
        conv = 4 * self.h  # bcx, the output
        attention = 2 * (self.q + self.k) + self.k + self.q  # q, k before and after turning; v; the output
        return (self.conv + self.att) * layer + self.conv * conv + self.att * attention


def step_rows(m: Model, n: int, length: float, a: int, chunk: int) -> list[Row]:
    """A micro-batch of n elements; a: bytes of a number between operations; products read and write bf16."""
    layers, w = m.conv + m.att, m.layer_weights()
    rows: list[Row] = []
    traffic = sum(rows_ + columns for rows_, columns in m.matrices()) * n
    rows.append(Row("products, forward", 2.0 * w * n, 2.0 * traffic + 2.0 * w, True))
    rows.append(Row("products, backward", 4.0 * w * n, 4.0 * traffic + 2.0 * w + 4.0 * w, True))
    rows.append(Row("weights rounded to bf16", 0, 6.0 * m.weights(), False))
    # Forward: norm (x, y), sum and norm (x, more, sum, y), sum (3); backward: 3 + 3 where two gradients meet, 4, 0.
    rows.append(Row("norms and sums", 0, float(layers * (2 + 4 + 3 + 3 + 3 + 4) * m.h * a * n), False))
    rows.append(Row("heads normed and turned", 0, float(m.att * 5 * (m.q + m.k) * a * n), False))
    rows.append(Row("short convolution", 0, float(m.conv * (4 + 7) * m.h * a * n), False))
    rows.append(Row("SwiGLU", 0, float(layers * 8 * m.i * a * n), False))
    # Scores and sums: 2 products forward, 5 backward, half of the square.
    attention = 7.0 * m.att * m.q * length * n
    parts = m.att * ((2 * m.q + 2 * m.k) + (3 * m.q + 2 * m.k) + (m.q + 2 * m.k))
    rows.append(Row("attention", attention, 2.0 * parts * n, True))
    head = m.v * m.h
    logits = 2.0 * m.v * n  # bytes of one reading or writing
    rows.append(Row("head, three products", 6.0 * head * n, 3 * logits + 8.0 * m.h * n, True))
    rows.append(Row("loss and its gradient", 0, 3 * logits, False))
    # Each chunk's part is written (bf16 products into float32), read, added to the sum.
    rows.append(Row("gradient of the head added up", 0, 16.0 * head * -(-n // chunk), False))
    return rows


def update_row(m: Model) -> list[Row]:
    p = m.weights()
    return [Row("norm of the gradients", 0, 4.0 * p, False), Row("AdamW", 0, 28.0 * p, False)]


def print_step(m: Model, rows: list[Row], n: int, args: argparse.Namespace) -> dict[str, float]:
    shares = (args.product_share, args.memory_share)
    print(f"### A micro-batch of {n:,} elements, documents of {args.length:g}, {args.number_bytes} bytes between operations\n")
    print("| | GFLOP | GB | FLOP/byte | H100, limit | H200, limit | H100, expected | H200, expected |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        times = [f"{1e3 * row.ideal(gpu):.2f} ms" for gpu in GPUS]
        times += [f"{1e3 * row.expected(gpu, *shares):.2f} ms" for gpu in GPUS]
        intensity = f"{row.flop / row.byte:.0f}" if row.flop else "below 2"
        print(f"| {row.name} | {row.flop / 1e9:,.0f} | {row.byte / 1e9:.2f} | {intensity} | " + " | ".join(times) + " |")
    out: dict[str, float] = {}
    sums: list[str] = []
    for kind in ("ideal", "expected"):
        for gpu in GPUS:
            extra = shares if kind == "expected" else ()
            total = sum(getattr(row, kind)(gpu, *extra) for row in rows)
            sums.append(f"{1e3 * total:.1f} ms")
            if kind == "expected":
                out[gpu] = total
    flop, byte = sum(row.flop for row in rows), sum(row.byte for row in rows)
    print(f"| all | {flop / 1e9:,.0f} | {byte / 1e9:.1f} | {flop / byte:.0f} | " + " | ".join(sums) + " |")
    for gpu, total in out.items():
        mfu = m.flop(args.length) * n / (total * GPUS[gpu][0] * 1e12)
        print(f"\n{gpu}: {n / total:,.0f} elements/s, {100 * mfu:.0f} % of the peak in the model's own operations", end="")
    print("\n")
    return out


def print_group(m: Model, step: float, n: int, args: argparse.Namespace) -> None:
    """Several GPUs of one machine, one micro-batch each for an update."""
    g, p = args.gpus, m.weights()
    link = NVLINK_GBS * 1e9 * args.link_share
    share = (g - 1) / g
    shares = (args.product_share, args.memory_share)
    norm, adamw = (row.expected("H100", *shares) for row in update_row(m))
    backward = 2 / 3 * step
    now_sum, now_back = 2 * share * 4 * p, share * 4 * p
    plan_sum, plan_back = share * 4 * p, share * 2 * p
    print(f"### {g} H100, one micro-batch of {n:,} each for an update\n")
    print("| | as it is: all-reduce, broadcast in float32 | planned: reduce-scatter, all-gather in bf16 |")
    print("| --- | --- | --- |")
    print(f"| sent by each GPU for gradients | {now_sum / 1e9:.2f} GB | {plan_sum / 1e9:.2f} GB |")
    print(f"| received by each GPU for weights | {now_back / 1e9:.2f} GB | {plan_back / 1e9:.2f} GB |")
    print(f"| time for gradients, hidden behind {1e3 * backward:.0f} ms of backward pass | {1e3 * now_sum / link:.1f} ms"
          f" | {1e3 * plan_sum / link:.1f} ms |")
    print(f"| time for weights | {1e3 * now_back / link:.1f} ms, not hidden | {1e3 * plan_back / link:.1f} ms, behind the"
          " next forward pass |")
    last = 82.5e6 / 369.8e6  # the embedding, whose gradient is the last to come
    now = step + norm + adamw / g + now_back / link + last * now_sum / link
    plan = step + norm / g + adamw / g + last * plan_sum / link
    print(f"| an update | {1e3 * now:.1f} ms | {1e3 * plan:.1f} ms |")
    for label, value in (("elements/s", lambda t: f"{g * n / t:,.0f}"),
                         ("share of the peak", lambda t: f"{100 * m.flop(args.length) * n / (t * 989e12):.0f} %"),
                         ("an epoch of 10,000 hours (1.96 G elements)", lambda t: f"{1.96e9 * t / (g * n) / 60:.0f} min"),
                         ("five epochs", lambda t: f"{5 * 1.96e9 * t / (g * n) / 3600:.1f} h")):
        print(f"| {label} | {value(now)} | {value(plan)} |")
    print(f"\n### Memory of a GPU, GB, {n:,} elements\n")
    print("| | as it is | planned |")
    print("| --- | --- | --- |")
    kept = m.kept() * n
    rows = [
        ("weights float32 (planned: a share, and bf16 for products)", 4.0 * p, 4.0 * p / g + 2.0 * p),
        ("gradients float32, and the pieces on their way", 8.0 * p, 4.0 * p + 4.0 * p / g),
        ("moments, a share", 8.0 * p / g, 8.0 * p / g),
        ("weights rounded for products, kept by the backward pass", 2.0 * p, 0.0),
        (f"what the backward pass needs, {args.number_bytes} bytes a number", kept * args.number_bytes, kept * 2.0),
        (f"logits of {args.chunk:,} elements; the head's gradient twice", 2.0 * m.v * args.chunk + 8.0 * m.v * m.h,
         2.0 * m.v * args.chunk + 8.0 * m.v * m.h),
    ]
    for name, now_bytes, plan_bytes in rows:
        print(f"| {name} | {now_bytes / 1e9:.2f} | {plan_bytes / 1e9:.2f} |")
    print(f"| all | {sum(r[1] for r in rows) / 1e9:.1f} | {sum(r[2] for r in rows) / 1e9:.1f} |")


def read_config(path: Path) -> dict[str, int]:
    """A model's config.json, with the counts of its layers."""
    file = json.loads(path.read_text(encoding="utf-8"))
    kinds = file["layer_types"]
    values = {key: int(file[key]) for key in KANI_TTS_2 if key in file}
    values["head_dim"] = values.get("head_dim", values["hidden_size"] // values["num_attention_heads"])
    values["attention_layers"] = sum(kind == "full_attention" for kind in kinds)
    values["conv_layers"] = len(kinds) - values["attention_layers"]
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, help="a model's config.json; else the real sizes of KaniTTS2")
    parser.add_argument("--elements", type=int, default=16384)
    parser.add_argument("--length", type=float, default=545, help="sum of squared document lengths / elements")
    parser.add_argument("--number-bytes", type=int, default=2, choices=(2, 4), help="of numbers between operations")
    parser.add_argument("--chunk", type=int, default=2048, help="loss_chunk")
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--product-share", type=float, default=0.7)
    parser.add_argument("--memory-share", type=float, default=0.85)
    parser.add_argument("--link-share", type=float, default=0.8)
    args = parser.parse_args()
    model = Model(read_config(args.config) if args.config else KANI_TTS_2)
    print(f"Weights in matrices {model.weights():,}; {model.flop(args.length) / 1e9:.3f} GFLOP an element;"
          f" {model.kept():,} numbers kept an element.\n")
    rows = step_rows(model, args.elements, args.length, args.number_bytes, args.chunk)
    step = print_step(model, rows, args.elements, args)
    print("### An update on one GPU\n")
    print("| | GB | H100, expected | H200, expected |")
    print("| --- | --- | --- | --- |")
    for row in update_row(model):
        times = [f"{1e3 * row.expected(gpu, args.product_share, args.memory_share):.2f} ms" for gpu in GPUS]
        print(f"| {row.name} | {row.byte / 1e9:.2f} | " + " | ".join(times) + " |")
    print()
    print_group(model, step["H100"], args.elements, args)


if __name__ == "__main__":
    main()
