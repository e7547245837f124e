"""Regenerates the Keras fixtures, or checks that they still are what Keras gives.

    python tools/keras-reference/generate.py            writes tools/keras-reference/fixtures
    python tools/keras-reference/generate.py --out DIR  writes DIR
    python tools/keras-reference/generate.py --check    compares with the committed ones; exit status 1 when they differ
    … --work DIR                                        keeps what was computed in DIR, and computes only what is not there
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE / "fixtures"
MAX_BYTES = 700_000
# Reading only: these import no Keras.
sys.path.insert(0, str(HERE))
from reference import compare, fixtures, storage  # noqa: E402

# In float64 for the values, in float32 to tell how far Keras itself is from them.
JOBS = [
    ("numbers", "float64"),
    ("numbers", "float32"),
    ("callbacks", "float64"),
    ("callbacks", "float32"),
    ("tables", "float32"),
]
# The last file that a job writes.
DONE = {"numbers": "numbers.npz", "callbacks": "callbacks.json", "tables": "tables.json"}


def run_job(part, floatx, work):
    folder = work / floatx
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / DONE[part]).exists():
        return
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "JAX_ENABLE_X64": "1" if floatx == "float64" else "0",
        # One thread sums in one order, on every machine.
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    started = time.monotonic()
    print(f"{part} in {floatx} …", flush=True)
    command = [sys.executable, "-m", "reference.worker", part, floatx, str(folder)]
    subprocess.run(command, cwd=HERE, env=environment, check=True)
    print(f"  {time.monotonic() - started:.0f} s", flush=True)


def write_all(work, out):
    import numpy as np

    exact, single = work / "float64", work / "float32"
    arrays, arrays32 = np.load(exact / "numbers.npz"), np.load(single / "numbers.npz")
    fixtures.write_versions(out)
    fixtures.write_inputs(out)
    for title in fixtures.MODELS:
        fixtures.write_model(out, arrays, title)
    fixtures.write_float32_error(out, arrays, arrays32)

    driven, driven32 = (json.loads((folder / "callbacks.json").read_text()) for folder in (exact, single))
    for callback, traces in fixtures.mark_float32(driven["traces"], driven32["traces"]).items():
        storage.write_json(out / "callbacks" / f"{callback}.json", traces)
    storage.write_json(out / "callbacks" / "CSVLogger.json", driven["csv"])
    storage.write_json(out / "learning-rates.json", driven["rates"])

    tables = json.loads((single / "tables.json").read_text())
    storage.write_json(out / "summaries.json", tables["summaries"])
    storage.write_json(out / "he-normal.json", tables["heNormal"])
    storage.write_json(out / "augmentation.json", tables["augmentation"])
    storage.write_tensors(out / "augmentation.safetensors", dict(np.load(single / "augmentation.npz")))


def total_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def empty(out):
    """Removes earlier fixtures, and nothing else."""
    if not out.exists():
        return
    if any(out.iterdir()) and not (out / "versions.json").exists():
        raise SystemExit(f"{out} is not empty and holds no fixtures: it is left alone. Choose another folder.")
    shutil.rmtree(out)


def generate(out, work):
    for part, floatx in JOBS:
        run_job(part, floatx, work)
    empty(out)
    write_all(work, out)
    size = total_bytes(out)
    print(f"{size:,} bytes in {out}")
    if size > MAX_BYTES:
        raise SystemExit(f"the fixtures may take {MAX_BYTES:,} bytes together")


def check(work):
    with tempfile.TemporaryDirectory() as folder:
        fresh = pathlib.Path(folder) / "fixtures"
        generate(fresh, work)
        found = compare.differences(FIXTURES, fresh)
    for line in found[:50]:
        print(line)
    if found:
        raise SystemExit(f"{len(found)} differences from {FIXTURES}")
    print("the committed fixtures are what Keras gives")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed fixtures instead of writing")
    parser.add_argument("--out", type=pathlib.Path, default=FIXTURES, help="the folder to write; it is emptied first")
    parser.add_argument("--work", type=pathlib.Path, help="keep intermediate results here, and use those of an earlier run")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        work = options.work.resolve() if options.work else pathlib.Path(folder)
        if options.check:
            check(work)
        else:
            generate(options.out.resolve(), work)
    cpu = os.times()
    print(f"{time.monotonic() - started:.0f} s in all, {cpu.children_user + cpu.children_system:.0f} s of processor time")


if __name__ == "__main__":
    main()
