"""Compares two folders of fixtures within a tolerance."""

import json
import math

import numpy as np
from safetensors.numpy import load_file

# Of float64 results, relative to the largest element of a tensor.
RELATIVE = 1e-9
# For what is zero but for rounding: gradients of biases in front of a batch norm, and what Adam makes of them.
ABSOLUTE = 1e-11
ABSOLUTE_OF_GROUP = {"gradients": 1e-14, "m": 1e-14, "v": 1e-20}
# How far a float32 run is off depends on the machine's kernels: only its magnitude is compared.
FLOAT32_FACTOR = 30
FLOAT32_FLOOR = 1e-6


def differences(expected, actual):
    """Lines that say what differs; empty when all files agree."""
    names = [{str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} for folder in (expected, actual)]
    found = [f"{name}: only committed" for name in sorted(names[0] - names[1])]
    found += [f"{name}: only regenerated" for name in sorted(names[1] - names[0])]
    for name in sorted(names[0] & names[1]):
        if name.endswith(".safetensors"):
            found += _tensors(name, load_file(expected / name), load_file(actual / name))
        else:
            a, b = (json.loads((folder / name).read_text(encoding="utf-8")) for folder in (expected, actual))
            found += _values(name, a, b, _float32_alike if name == "float32-error.json" else _close)
    return found


def _tensors(path, a, b):
    if set(a) != set(b):
        return [f"{path}: other tensors: {sorted(set(a) ^ set(b))}"]
    found = []
    absolute = ABSOLUTE_OF_GROUP.get(path.split(".")[-2], ABSOLUTE)
    for name, expected in a.items():
        actual = b[name]
        if expected.shape != actual.shape:
            found.append(f"{path} {name}: shape {expected.shape}, now {actual.shape}")
            continue
        worst, largest = np.max(np.abs(expected - actual)), np.max(np.abs(expected))
        # Written so that a NaN counts as a difference.
        if not worst <= absolute + RELATIVE * largest:
            found.append(f"{path} {name}: differs by {worst:.3g} where the largest element is {largest:.3g}")
    return found


def _values(path, a, b, close):
    if isinstance(a, dict) and isinstance(b, dict):
        if set(a) != set(b):
            return [f"{path}: other keys: {sorted(set(a) ^ set(b))}"]
        return [line for key in a for line in _values(f"{path} {key}", a[key], b[key], close)]
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return [f"{path}: {len(a)} entries, now {len(b)}"]
        return [line for k, pair in enumerate(zip(a, b)) for line in _values(f"{path}[{k}]", *pair, close)]
    numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (a, b))
    alike = close(a, b) if numbers else a == b and type(a) is type(b)
    return [] if alike else [f"{path}: {a!r}, now {b!r}"]


def _close(a, b):
    return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _float32_alike(a, b):
    low, high = sorted((abs(a), abs(b)))
    return high <= max(low * FLOAT32_FACTOR, FLOAT32_FLOOR)
