"""How the fixtures are written: JSON with one key or row a line, and safetensors with F64 tensors, large ones sampled."""

import json
import math

import numpy as np
from safetensors.numpy import save_file

FULL_UP_TO = 256
SAMPLES = 128


def sampled(value):
    """All elements in row-major order, or 128 evenly spaced ones of more than 256: those at floor(k·n / 128)."""
    flat = np.ascontiguousarray(value, dtype=np.float64).reshape(-1)
    if flat.size <= FULL_UP_TO:
        return flat
    return np.ascontiguousarray(flat[np.arange(SAMPLES) * flat.size // SAMPLES])


def totals(value):
    """Of a whole tensor, correctly rounded."""
    flat = np.asarray(value, dtype=np.float64).reshape(-1)
    return {"count": flat.size, "sum": math.fsum(flat), "l2": math.sqrt(math.fsum(flat * flat))}


def write_tensors(path, tensors):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: sampled(value) for name, value in sorted(tensors.items())}, path)
    path.chmod(0o644)


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_lines(value, 2 if isinstance(value, dict) else 1) + "\n", encoding="utf-8")


def _lines(value, depth, indent=""):
    """Opens up the first levels, one entry a line; what is deeper stays on its line."""
    if depth == 0 or not isinstance(value, (dict, list)) or not value or _is_row_of_numbers(value):
        return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    inner = indent + " "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key)}: {_lines(item, depth - 1, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + _lines(item, depth - 1, inner) for item in value) + f"\n{indent}]"


def _is_row_of_numbers(value):
    return isinstance(value, list) and all(isinstance(item, (int, float)) for item in value)


def plain(value):
    """NumPy's numbers and arrays as Python's."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value
