"""environments.py - virtual environments with the libraries of the field, in build/acceptance, made once.

  pinned    the versions that upstream's trainer was read and measured with
  current   the newest of each

Both see one torch.  Its wheel for x86-64 asks for 3 GB of NVIDIA's libraries that nothing here calls; torch's own parts
name them all the same, so empty libraries of those names are compiled instead.  Names are then bound when they are
called, which here is never (TORCH_USE_RTLD_GLOBAL asks torch for that).
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import platform
import shutil
import subprocess
import sys

TORCH = ("torch==2.11.0",)
# Two small ones that the wheel for x86-64 does call while it is loaded, and libraries that it only names.
CUDA = ("nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85")
ABSENT = ("libcublas.so.13", "libcublasLt.so.13", "libcudnn.so.9", "libcufft.so.12", "libcufile.so.0",
          "libcurand.so.10", "libcusolver.so.12", "libcusparse.so.12", "libcusparseLt.so.0", "libnccl.so.2",
          "libnvshmem_host.so.3")
TORCH_NEEDS = ("filelock", "fsspec", "jinja2", "networkx", "sympy", "typing_extensions")
# These ask for torch, which is there already, so they come without what they ask for.
ABOVE_TORCH = ("accelerate", "peft")
LIBRARIES = {
    "pinned": ("datasets==3.6.0", "transformers==4.56.0"),
    "current": ("datasets", "transformers"),
}
OTHERS = ("numpy", "omegaconf", "packaging", "psutil", "pyyaml", "safetensors", "tqdm")


@dataclasses.dataclass(frozen=True)
class Environment:
    name: str
    python: pathlib.Path
    variables: dict[str, str]

    def run(self, *command: object, cwd: pathlib.Path, cache: pathlib.Path,
            timeout: float = 1200) -> subprocess.CompletedProcess[str]:
        """Python with these words; offline, with caches of its own, on one thread."""
        own = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(cache), "TOKENIZERS_PARALLELISM": "false",
               "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
        return subprocess.run([str(self.python), *map(str, command)], cwd=cwd, text=True, capture_output=True,
                              check=False, timeout=timeout, env={**os.environ, **own, **self.variables})


def pip(python: pathlib.Path | str, *words: str) -> None:
    done = subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"pip install {' '.join(words[-4:])} … ended with {done.returncode}: {done.stderr[-800:]}")


def finished(folder: pathlib.Path, what: str) -> bool:
    mark = folder / "installed"
    return mark.exists() and mark.read_text(encoding="utf-8") == what


def make_torch(folder: pathlib.Path) -> None:
    x86 = platform.machine() == "x86_64"
    packages = (*TORCH, *CUDA) if x86 else TORCH
    what = " ".join((*packages, *(ABSENT if x86 else ()))) + "\n"
    if finished(folder, what):
        return
    print(f"acceptance: torch into {folder} (1.2 GB, once)", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pip(sys.executable, "--no-deps", "--target", str(folder), *packages)
    (folder / "absent").mkdir()
    for name in ABSENT if x86 else ():
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-nostdlib", "-xc", "/dev/null", f"-Wl,-soname,{name}",
                        "-o", str(folder / "absent" / name)], check=True)
    (folder / "installed").write_text(what, encoding="utf-8")


def make_environment(name: str, build: pathlib.Path) -> Environment:
    """The environment `name` in the folder `build`; throws RuntimeError if pip cannot get a package."""
    torch, folder = build / "torch", build / name
    make_torch(torch)
    packages = (*LIBRARIES[name], *TORCH_NEEDS, *OTHERS)
    what = " ".join((*packages, *ABOVE_TORCH)) + "\n"
    python = folder / "bin" / "python"
    if not finished(folder, what):
        print(f"acceptance: the environment \"{name}\" into {folder} (once)", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip(python, *packages)
        pip(python, "--no-deps", *ABOVE_TORCH)
        site = next(folder.glob("lib/python*/site-packages"))
        (site / "torch_beside.pth").write_text(f"{torch}\n", encoding="utf-8")
        (folder / "installed").write_text(what, encoding="utf-8")
    variables = {"LD_LIBRARY_PATH": str(torch / "absent"), "TORCH_USE_RTLD_GLOBAL": "1"}
    return Environment(name, python, variables)
