"""Summaries of every model, moments of he_normal, and ImageDataGenerator's transforms."""

import hashlib
import math

import keras
import numpy as np
from keras.src.legacy.preprocessing.image import ImageDataGenerator

from . import formula
from .networks import Network

MODELS = {
    "v1": [8, 20, 32, 44, 56, 110, 164, 1202],
    "v2": [11, 20, 29, 56, 110, 164, 1001],
    "plain": [20, 32, 44, 56, 110],
}
DEEPEST_WITH_ROWS = 20


def summaries():
    return [summary(family, depth) for family, depths in MODELS.items() for depth in depths]


def summary(family, depth):
    """The rows of model.summary() under our names in construction order, without its input row."""
    net = Network(family, depth)
    rows = [[e.name, e.kind, list(layer.output.shape[1:]), layer.count_params()] for e, layer in net.pairs]
    model = net.model
    groups = (model.trainable_variables, model.non_trainable_variables)
    trainable, other = (sum(math.prod(v.shape) for v in variables) for variables in groups)
    text = "".join(f"{name} {kind} {'x'.join(map(str, shape))} {count}\n" for name, kind, shape, count in rows)
    found = {
        "model": net.title,
        "total": model.count_params(),
        "trainable": trainable,
        "nonTrainable": other,
        "layers": len(rows),
        "rowsSha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    if depth <= DEEPEST_WITH_ROWS:
        found["rows"] = rows
        found["summaryOrder"] = [
            next(e.name for e, l in net.pairs if l is layer) for layer in model.layers if layer is not model.layers[0]
        ]
    return found


FILTERS = [(3, 3, 3, 16), (3, 3, 16, 16), (3, 3, 64, 64), (1, 1, 16, 32), (1, 1, 256, 128), (64, 10)]
TRUNCATED_STD = 0.87962566103423978
SAMPLE = 400_000


def he_normal():
    found = []
    for shape in FILTERS:
        fan_in = math.prod(shape[:-1])
        std = math.sqrt(2 / fan_in)
        sigma = std / TRUNCATED_STD
        draws = -(-SAMPLE // math.prod(shape))
        sample = np.concatenate(
            [
                np.asarray(keras.initializers.HeNormal(seed=seed)(shape, dtype="float32"), np.float64).ravel()
                for seed in range(draws)
            ]
        )
        z = sample / sigma
        found.append(
            {
                "shape": shape,
                "fanIn": fan_in,
                "expected": {"mean": 0.0, "std": std, "sigma": sigma, "bound": 2 * sigma, **_truncated_moments()},
                "measured": {
                    "count": z.size,
                    "mean": sample.mean(),
                    "std": sample.std(),
                    "min": sample.min(),
                    "max": sample.max(),
                    "kurtosis": np.mean(z**4) / np.mean(z**2) ** 2,
                    "withinOneSigma": np.mean(np.abs(z) < 1),
                },
            }
        )
    return {"truncatedStd": TRUNCATED_STD, "filters": found}


def _truncated_moments():
    """Of a standard normal cut off at ±2: E z⁴ / (E z²)² and P(|z| < 1)."""
    inside = math.erf(2 / math.sqrt(2))
    density = math.exp(-2) / math.sqrt(2 * math.pi)
    second = 1 - 4 * density / inside
    fourth = 3 * second - 16 * density / inside
    return {"kurtosis": fourth / second**2, "withinOneSigma": math.erf(1 / math.sqrt(2)) / inside}


# Shift of the columns, shift of the rows, flip horizontally, flip vertically.
TRANSFORMS = [
    (0, 0, False, False),
    (0, 0, True, False),
    (1, 0, False, False),
    (0, 1, True, False),
    (-2, 3, False, True),
    (0.5, 0, False, False),
    (0, -0.5, False, False),
    (0, 0.5, True, False),
    (2.5, -1.5, False, False),
    (0.25, 0.75, True, False),
    (1.3, -2.7, False, False),
    (-3.2, 3.2, True, False),
    (-0.1, 0.9, False, False),
    (7, 0, False, False),
    (0, -7.5, True, False),
    (20, -20, False, False),
]


def augmentation():
    """ImageDataGenerator.apply_transform of one 8x8x3 image: the cases, and their images by name.

    Keras draws tx from height_shift_range, and shifts columns by it: it swaps the axes of the transform.
    """
    image = formula.images("augmentation", 1, (8, 8, 3))[0]
    cases, images = [], {"image": image}
    for order in (0, 1):
        generator = ImageDataGenerator(interpolation_order=order, fill_mode="nearest", dtype="float64")
        for k, (tx, ty, horizontal, vertical) in enumerate(TRANSFORMS):
            transform = {"tx": tx, "ty": ty, "flip_horizontal": horizontal, "flip_vertical": vertical}
            name = f"order{order}/case{k}"
            images[name] = np.ascontiguousarray(generator.apply_transform(image, transform))
            cases.append({"image": name, "interpolationOrder": order, **transform})
    return {"fillMode": "nearest", "shape": list(image.shape), "cases": cases}, images
