"""Opens every file that `write.mjs` wrote with the programs that the formats belong to, and compares what they compute.

    python check.py FOLDER keras|onnx|safetensors
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(sys.argv[1])
ALLOWED = 1e-4


def floats(name):
    return np.fromfile(FOLDER / f"{name}.f32", np.float32)


def networks():
    for name, facts in json.loads((FOLDER / "index.json").read_text()).items():
        images = floats(f"{name}.images").reshape(facts["shape"])
        logits = floats(f"{name}.logits").reshape(-1, facts["classes"])
        yield name, images, logits, facts["parameters"]


def compare(results):
    """Prints the largest difference of a logit of every network; ends with an error where one is too large."""
    worst = 0.0
    for name, theirs, ours in results:
        difference = float(np.abs(np.asarray(theirs) - ours).max())
        worst = max(worst, difference)
        print(f"  {name:28} {difference:.1e}   (logits to {np.abs(ours).max():.1f})")
    print(f"  largest difference: {worst:.1e}")
    if not worst <= ALLOWED:
        sys.exit(f"more than the {ALLOWED} that are allowed")


def check_onnx():
    import onnx
    import onnxruntime

    def run():
        for name, images, logits, _ in networks():
            path = str(FOLDER / f"{name}.onnx")
            onnx.checker.check_model(path, full_check=True)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            yield name, session.run(None, {"input": images.transpose(0, 3, 1, 2)})[0], logits

    print(f"onnx {onnx.__version__} (checker), onnxruntime {onnxruntime.__version__}")
    compare(run())


def check_safetensors():
    import safetensors
    from safetensors.numpy import load_file

    print(f"safetensors {safetensors.__version__}")
    for name, _, _, parameters in networks():
        tensors = load_file(FOLDER / f"{name}.safetensors")
        for parameter in parameters:
            ours = floats(f"{name}.parameters.{parameter.replace('/', '+')}")
            assert tensors[parameter].tobytes() == ours.tobytes(), f"{name}: {parameter}"
        print(f"  {name:28} {len(parameters)} tensors, the same bits")


def check_keras():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras
    import logging

    logging.getLogger("absl").setLevel(logging.ERROR)
    print(f"keras {keras.__version__} on {keras.backend.backend()}")
    for ending in ("h5", "keras"):
        print(f" .{ending}")

        def run():
            for name, images, logits, _ in networks():
                yield name, keras.models.load_model(FOLDER / f"{name}.{ending}")(images, training=False), logits

        compare(run())
    for name in ("adam", "sgd"):
        for ending in ("h5", "keras"):
            train_on(keras, name, ending)


def load_trained(keras, path):
    model = keras.models.load_model(path)
    if path.suffix == ".h5":
        # Keras 3.15's loader builds the optimizer of a functional model before it has variables, and then cannot restore
        # it, of its own files neither: this does what the loader is meant to do.
        import h5py
        from keras.src.legacy.saving import legacy_h5_format

        fresh = type(model.optimizer).from_config(model.optimizer.get_config())
        fresh.build(model.trainable_variables)
        with h5py.File(path) as file:
            fresh.set_weights(legacy_h5_format.load_optimizer_weights_from_hdf5_group(file))
        model.compile(optimizer=fresh, loss=model.loss, metrics=["accuracy"])
    return model


def train_on(keras, name, ending):
    """One step of `fit` from the state of our run, then saved, then another."""
    model = load_trained(keras, FOLDER / f"train-{name}.{ending}")
    images, labels = floats(f"train-{name}.images").reshape(-1, 16, 16, 3), floats(f"train-{name}.labels").reshape(-1, 10)
    before = int(model.optimizer.iterations)
    model.fit(images, labels, batch_size=len(images), epochs=1, shuffle=False, verbose=0)
    ours = {path.name: path for path in FOLDER.glob(f"train-{name}.next.*.f32")}
    largest, moved = 0.0, 0.0
    for parameter, value in parameters(model):
        other = floats(f"train-{name}.next.{parameter}").reshape(value.shape)
        largest = max(largest, float(np.abs(value - other).max()))
        moved += 1
    assert moved == len(ours), (moved, len(ours))
    print(f"  fit from our {name} state (.{ending}, step {before}): largest difference of a parameter {largest:.1e}")
    model.save(FOLDER / f"train-{name}.saved.{ending}")
    model.fit(images, labels, batch_size=len(images), epochs=1, shuffle=False, verbose=0)
    for parameter, value in parameters(model):
        value.astype(np.float32).tofile(FOLDER / f"train-{name}.second.{parameter}.f32")


ROLES = {"kernel": "filter", "moving_mean": "mean", "moving_variance": "variance"}


def parameters(model):
    for layer in model.layers:
        for weight in layer.weights:
            role = "kernel" if layer.name.endswith("dense") and weight.name == "kernel" else ROLES.get(weight.name, weight.name)
            yield f"{layer.name.replace('.', '+')}+{role}", np.asarray(weight)


{"keras": check_keras, "onnx": check_onnx, "safetensors": check_safetensors}[sys.argv[2]]()
