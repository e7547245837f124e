"""Arranges what the workers computed into files; README.md describes them."""

import platform
from importlib.metadata import version

import numpy as np

from . import formula, storage
from .layers import VARIABLES, expected_layers
from .numbers_plan import BATCHES, INFERENCE_BATCH, MODELS, RUNS

# A gradient below this is zero but for rounding: a bias in front of a batch norm has none.
ZERO_GRADIENT = 1e-12
PACKAGES = ("keras", "jax", "jaxlib", "numpy", "scipy", "safetensors", "h5py")


def parameter_shapes(family, depth):
    n = (depth - 2) // (9 if family == "v2" else 6)
    return {
        f"{layer.name}/{kind}": layer.parameter_shape(kind)
        for layer in expected_layers(family, n)
        for kind in VARIABLES.get(layer.kind, {}).values()
    }


def write_versions(out):
    packages = {name: version(name) for name in PACKAGES}
    python = ".".join(platform.python_version_tuple()[:2])
    storage.write_json(out / "versions.json", {"python": python, "engine": "jax", **packages})


def write_inputs(out):
    """The beginning of everything that the formula gives, so that a reader's own formula can be checked first."""
    parameters = {}
    for title, (family, depth, _) in MODELS.items():
        shapes = parameter_shapes(family, depth)
        parameters[title] = [_start(name, formula.parameter(name, shape), shape) for name, shape in shapes.items()]
    batches = {"inference": INFERENCE_BATCH} | {f"step{k}": count for k, count in enumerate(BATCHES)}
    data = []
    for name, count in batches.items():
        images, classes, _ = formula.batch(name, count)
        data.append({**_start(f"{name}/images", images, images.shape), "labels": classes})
    hashes = {name: formula.fnv1a(name) for name in ("", "a", "stem/conv/filter", "step0/images")}
    uniform = {"stem/conv/filter": formula.uniform("stem/conv/filter", 4)}
    storage.write_json(
        out / "inputs.json", {"fnv1a": hashes, "uniform": uniform, "parameters": parameters, "batches": data}
    )


def _start(name, values, shape):
    return {"name": name, "shape": list(shape), "first": values.reshape(-1)[:4], **storage.totals(values)}


class Part:
    """The quantities of one part of one model, such as resnet8v1's `adam`."""

    def __init__(self, arrays, title, part):
        prefix = f"{title}/{part}/"
        self.values = {key[len(prefix) :]: arrays[key] for key in arrays.files if key.startswith(prefix)}

    def group(self, name):
        return {key[len(name) + 1 :]: value for key, value in self.values.items() if key.startswith(name + "/")}

    def small(self):
        return {key: value for key, value in self.values.items() if "/" not in key}


def write_model(out, arrays, title):
    folder = out / title
    part = Part(arrays, title, "inference")
    storage.write_json(folder / "inference.json", {"batch": "inference", **part.small()})
    part = Part(arrays, title, "training-step")
    zero = [name for name, value in part.group("gradients").items() if np.linalg.norm(value) < ZERO_GRADIENT]
    _write_part(folder, "training-step", part, {"batch": "step0", **part.small(), "zeroGradients": zero})
    for run in MODELS[title][2]:
        part = Part(arrays, title, run)
        about = {"optimizer": RUNS[run], "batches": [f"step{k}" for k in range(len(BATCHES))], "batchSizes": BATCHES}
        _write_part(folder, run, part, {**about, **part.small()})


def _write_part(folder, name, part, content):
    """`<part>.json`, and `<part>.<group>.safetensors` for its groups of tensors."""
    whole = {}
    for group in sorted({key.split("/")[0] for key in part.values if "/" in key}):
        tensors = part.group(group)
        storage.write_tensors(folder / f"{name}.{group}.safetensors", tensors)
        large = {key: storage.totals(value) for key, value in tensors.items() if value.size > storage.FULL_UP_TO}
        if large:
            whole[group] = large
    storage.write_json(folder / f"{name}.json", {**content, "totals": whole})


def write_float32_error(out, exact, single):
    """‖float32 − float64‖ / ‖float64‖ over whole tensors; where float64 is zero but for rounding, ‖float32‖ itself."""
    relative, absolute = {}, {}
    for key in exact.files:
        norm = np.linalg.norm(exact[key])
        title, part, quantity = key.split("/", 2)
        if norm < ZERO_GRADIENT and quantity.startswith(("gradients/", "m/", "v/")):
            absolute.setdefault(title, {}).setdefault(part, {})[quantity] = _short(np.linalg.norm(single[key]))
        elif norm > 0:
            error = np.linalg.norm(single[key].astype(np.float64) - exact[key]) / norm
            relative.setdefault(title, {}).setdefault(part, {})[quantity] = _short(error)
    storage.write_json(out / "float32-error.json", {"relative": relative, "absolute": absolute})


def _short(value):
    return float(f"{value:.3e}")


def mark_float32(exact, single):
    """Marks the traces in which a float32 Keras does something else: it compares metrics in float32."""
    for callback, traces in exact.items():
        for trace, other in zip(traces, single[callback], strict=True):
            trace["float32Differs"] = not _alike(trace, other)
    return exact


def _alike(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return all(_alike(value, b.get(key)) for key, value in a.items() if key != "printed")
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, float) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-6 * abs(a)
    return a == b
