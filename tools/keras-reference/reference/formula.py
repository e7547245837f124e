"""Numbers from a formula, so that neither weights nor images need to be stored.

Element i of the tensor called `name` is a function of the name and of i alone; README.md gives the same code in TypeScript.
All values are rounded to float32, whatever type they are then computed in.
"""

import math

import numpy as np

GOLDEN = np.uint32(0x9E3779B9)
IMAGE_SHAPE = (32, 32, 3)
CLASSES = 10


def fnv1a(text):
    """32-bit FNV-1a of the UTF-8 bytes."""
    h = 0x811C9DC5
    for byte in text.encode("utf-8"):
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    return h


def lowbias32(x):
    """Integer hash of uint32 arrays. Source: https://nullprogram.com/blog/2018/07/31/"""
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def uniform(name, count):
    """`count` numbers in [0, 1), multiples of 2^-32, as float64."""
    index = np.arange(count, dtype=np.uint32)
    return lowbias32(index * GOLDEN + np.uint32(fnv1a(name))) / 2.0**32


def _float32(values, shape):
    return values.astype(np.float32).astype(np.float64).reshape(shape)


def parameter(name, shape):
    """A parameter of a network; its kind is the last part of its name."""
    kind = name.rsplit("/", 1)[-1]
    u = uniform(name, math.prod(shape))
    if kind in ("filter", "kernel"):
        return _float32((2 * u - 1) * math.sqrt(6 / math.prod(shape[:-1])), shape)
    if kind in ("gamma", "variance"):
        return _float32(0.5 + u, shape)
    half = {"bias": 0.1, "beta": 0.2, "mean": 0.1}[kind]
    return _float32((2 * u - 1) * half, shape)


def images(name, count, shape=IMAGE_SHAPE):
    """Blocks of 8x8 pixels in one colour each, mixed half and half with noise: bytes / 255 - 0.5."""
    height, width, channels = shape
    fine = uniform(name, count * height * width * channels).reshape(count, height, width, channels)
    rows, columns = -(-height // 8), -(-width // 8)
    coarse = uniform(name + "/coarse", count * rows * columns * channels).reshape(count, rows, columns, channels)
    coarse = coarse.repeat(8, axis=1)[:, :height].repeat(8, axis=2)[:, :, :width]
    return _float32(np.floor((fine + coarse) / 2 * 256) / 255 - 0.5, fine.shape)


def labels(name, count):
    return np.floor(uniform(name, count) * CLASSES).astype(np.int64)


def one_hot(classes):
    return np.eye(CLASSES)[classes]


def batch(name, count):
    """Images, labels and one-hot labels; the tensors are called `<name>/images` and `<name>/labels`."""
    classes = labels(f"{name}/labels", count)
    return images(f"{name}/images", count), classes, one_hot(classes)
