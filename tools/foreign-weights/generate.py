"""Writes the small networks in `fixtures/` with real Keras, and what it predicts with them.

    python -m venv venv && venv/bin/pip install -r requirements.txt
    KERAS_BACKEND=jax venv/bin/python generate.py

Weights are drawn by NumPy from a fixed seed, batch statistics included, so that every run writes the same numbers.
"""

import json
import os
import zipfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import h5py
import keras
import numpy as np
from keras import layers
from safetensors.numpy import save_file

HERE = Path(__file__).parent / "fixtures"
IMAGES = 4
SIZE = 8


def draw(model, seed):
    random = np.random.default_rng(seed)
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, layers.BatchNormalization):
            ranges = {"gamma": (0.5, 1.5), "beta": (-0.3, 0.3), "moving_mean": (-0.3, 0.3), "moving_variance": (0.5, 1.5)}
            layer.set_weights([random.uniform(*ranges[w.name], w.shape) for w in layer.weights])
        elif weights and not isinstance(layer, layers.Normalization):
            layer.set_weights([random.normal(0, 0.3, w.shape) for w in weights])
    return model


def functional():
    """A residual block with a projection, SAME padding at stride 2, zero padding, a concatenation, both pools."""
    x = inputs = keras.Input((SIZE, SIZE, 3), name="pixels")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(x)
    x = layers.Conv2D(4, 3, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(epsilon=1e-4)(x)
    x = layers.ReLU()(x)
    y = layers.ZeroPadding2D(((1, 0), (0, 1)))(x)
    y = layers.Conv2D(6, 2, activation="relu")(y)
    y = layers.Conv2D(6, 3, strides=2, padding="same")(y)
    y = layers.BatchNormalization(scale=False)(y)
    shortcut = layers.Conv2D(6, 1, strides=2)(x)
    x = layers.Activation("relu")(layers.Add()([shortcut, y]))
    x = layers.Concatenate()([x, layers.AveragePooling2D(3, strides=1, padding="same")(x)])
    x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.5)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(7)(x)
    return keras.Model(inputs, layers.Dense(5, activation="softmax", name="classes")(x), name="small")


def sequential():
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5),
        ],
        name="short",
    )


def tfjs(model, stem, shards=2):
    """A layers model as the converter writes it, its weights in several shards."""
    config = json.loads(model.to_json())
    entries, data = [], b""
    for layer in model.layers:
        for weight in layer.weights:
            if "seed_generator" in weight.path:
                continue
            value = np.asarray(weight.value, np.float32)
            entries.append({"name": f"{layer.name}/{weight.name}", "shape": list(value.shape), "dtype": "float32"})
            data += value.tobytes()
    names = [f"{stem}-shard{i + 1}of{shards}.bin" for i in range(shards)]
    step = -(-len(data) // shards)
    for i, name in enumerate(names):
        (HERE / name).write_bytes(data[i * step : (i + 1) * step])
    manifest = [{"paths": names, "weights": entries}]
    text = {
        "format": "layers-model",
        "generatedBy": f"keras v{keras.__version__}",
        "modelTopology": {"keras_version": keras.__version__, "model_config": config},
        "weightsManifest": manifest,
    }
    (HERE / f"{stem}.json").write_text(json.dumps(text))


def latest(source, target):
    """The same with the structures that libver="latest" brings: names and attributes in heaps, data sets cut in every way."""
    cuts = [
        {},
        {"chunks": True, "compression": "gzip", "shuffle": True},  # one chunk
        {"chunks": 2, "compression": "gzip", "fletcher32": True},  # an array of chunks
        {"chunks": 1},
        {"chunks": 2, "maxshape": None, "compression": "gzip"},  # a tree of chunks
    ]

    def copy(group, into):
        for key, value in group.attrs.items():
            into.attrs[key] = value
        for key, item in group.items():
            if isinstance(item, h5py.Group):
                copy(item, into.create_group(key))
                continue
            cut = dict(cuts[len(copied) % len(cuts)] if item.shape else {})
            if "chunks" in cut:
                cut["chunks"] = item.shape if cut["chunks"] is True else tuple(min(cut["chunks"], n) for n in item.shape)
            if "maxshape" in cut:
                cut["maxshape"] = (None,) * len(item.shape) if len(item.shape) > 1 else None
            into.create_dataset(key, data=item[()], **cut)
            copied.append(key)

    copied = []
    with h5py.File(source) as old, h5py.File(target, "w", libver="latest") as new:
        copy(old, new)
        for i in range(12):
            new["model_weights"].attrs[f"note{i}"] = f"attribute {i} of more than a header holds"


def zip64(source, target):
    """The same archive, deflated, with the records of one of more than 4 GiB."""
    limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 0
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)
    zipfile.ZIP64_LIMIT = limit


def torch_names(seed):
    """Weights of a residual network of two stages with torchvision's names, as timm publishes them: see reference()."""
    random = np.random.default_rng(seed)
    tensors = {}

    def conv(name, out, inside, size):
        tensors[f"{name}.weight"] = random.normal(0, 0.3, (out, inside, size, size)).astype(np.float32)

    def norm(name, channels):
        tensors[f"{name}.weight"] = random.uniform(0.5, 1.5, channels).astype(np.float32)
        tensors[f"{name}.bias"] = random.normal(0, 0.2, channels).astype(np.float32)
        tensors[f"{name}.running_mean"] = random.normal(0, 0.2, channels).astype(np.float32)
        tensors[f"{name}.running_var"] = random.uniform(0.5, 1.5, channels).astype(np.float32)
        tensors[f"{name}.num_batches_tracked"] = np.array(7, np.int64)

    conv("conv1", 4, 3, 3)
    norm("bn1", 4)
    for block, inside, out in (("layer1.0", 4, 4), ("layer2.0", 4, 8)):
        conv(f"{block}.conv1", out, inside, 3)
        norm(f"{block}.bn1", out)
        conv(f"{block}.conv2", out, out, 3)
        norm(f"{block}.bn2", out)
    conv("layer2.0.downsample.0", 8, 4, 1)
    norm("layer2.0.downsample.1", 8)
    tensors["fc.weight"] = random.normal(0, 0.3, (5, 8)).astype(np.float32)
    tensors["fc.bias"] = random.normal(0, 0.3, 5).astype(np.float32)
    return tensors


def torch_logits(tensors, images):
    """What PyTorch computes with them, in float64."""

    def conv(x, name, stride):
        w = tensors[f"{name}.weight"].astype(np.float64)
        pad = w.shape[2] // 2
        x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))[:, :, ::stride, ::stride]
        return np.einsum("nchwij,ocij->nohw", windows, w)

    def norm(x, name):
        gamma, beta, mean, variance = (
            tensors[f"{name}.{part}"].astype(np.float64)[:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta

    relu = lambda x: np.maximum(x, 0)
    x = images.transpose(0, 3, 1, 2).astype(np.float64) / 255
    x = relu(norm(conv(x, "conv1", 1), "bn1"))
    for block, stride in (("layer1.0", 1), ("layer2.0", 2)):
        y = relu(norm(conv(x, f"{block}.conv1", stride), f"{block}.bn1"))
        y = norm(conv(y, f"{block}.conv2", 1), f"{block}.bn2")
        if stride == 2:
            x = norm(conv(x, f"{block}.downsample.0", stride), f"{block}.downsample.1")
        x = relu(x + y)
    return x.mean((2, 3)) @ tensors["fc.weight"].T.astype(np.float64) + tensors["fc.bias"]


def main():
    HERE.mkdir(exist_ok=True)
    images = np.random.default_rng(1).integers(0, 256, (IMAGES, SIZE, SIZE, 3), np.uint8)
    large = np.random.default_rng(2).integers(0, 256, (2, 32, 32, 3), np.uint8)
    small, short = draw(functional(), 2), draw(sequential(), 3)
    small.save(HERE / "small.keras")
    small.save(HERE / "small.h5")
    latest(HERE / "small.h5", HERE / "latest.h5")
    short.save(HERE / "short.keras")
    zip64(HERE / "short.keras", HERE / "short-zip64.keras")
    short.save(HERE / "short.h5")
    tfjs(small, "small-tfjs")
    tensors = torch_names(4)
    save_file(tensors, HERE / "timm.safetensors", {"format": "pt"})
    expected = {
        "keras": keras.__version__,
        "images": images.ravel().tolist(),  # [4, 8, 8, 3]
        "small": np.asarray(small(images.astype(np.float32))).tolist(),
        "short": np.asarray(short(images.astype(np.float32))).tolist(),
        "largeImages": large.ravel().tolist(),
        "timm": torch_logits(tensors, large).tolist(),
    }
    (HERE / "expected.json").write_text(json.dumps(expected))


main()
