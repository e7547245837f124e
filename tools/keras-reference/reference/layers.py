"""Skiplane's names for the layers and parameters of the example's networks, in construction order."""

import math
from dataclasses import dataclass

KINDS = {
    "Conv2D": "conv2d",
    "BatchNormalization": "batchNorm",
    "Activation": "relu",
    "Add": "add",
    "AveragePooling2D": "averagePool2d",
    "Flatten": "flatten",
    "Dense": "dense",
}
VARIABLES = {
    "conv2d": {"kernel": "filter", "bias": "bias"},
    "dense": {"kernel": "kernel", "bias": "bias"},
    "batchNorm": {"gamma": "gamma", "beta": "beta", "moving_mean": "mean", "moving_variance": "variance"},
}


@dataclass(frozen=True)
class Expected:
    """A layer as Skiplane builds it: the shape of its filter or kernel, or of its batch norm's vectors."""

    name: str
    kind: str
    shape: tuple = ()

    def parameter_shape(self, kind):
        return self.shape if kind in ("filter", "kernel") else self.shape[-1:]


class Builder:
    def __init__(self):
        self.layers = []
        self.channels = 3

    def add(self, name, kind, *shape):
        self.layers.append(Expected(name, kind, shape))

    def conv(self, scope, name, size, inputs, filters, order):
        """`order` lists what is built beside the convolution: 'conv bn relu', 'bn relu conv', …"""
        for what in order.split():
            if what == "conv":
                self.add(f"{scope}/{name}", "conv2d", size, size, inputs, filters)
            elif what == "bn":
                self.add(f"{scope}/{name.replace('conv', 'bn')}", "batchNorm", filters if order[0] == "c" else inputs)
            else:
                self.add(f"{scope}/{name.replace('conv', 'relu')}", "relu")

    def head(self, features):
        self.add("head/pool", "averagePool2d")
        self.add("head/flatten", "flatten")
        self.add("head/dense", "dense", features, 10)
        return self.layers


def basic_net(n, residual=True):
    """v1, or the plain net: v1 without additions and projections."""
    b = Builder()
    b.conv("stem", "conv", 3, 3, 16, "conv bn relu")
    inputs = 16
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(n):
            scope = f"stage{stage + 1}/block{block + 1}"
            b.conv(scope, "conv1", 3, inputs, filters, "conv bn relu")
            b.conv(scope, "conv2", 3, filters, filters, "conv bn")
            if residual and stage > 0 and block == 0:
                b.conv(scope, "projection", 1, inputs, filters, "conv")
            if residual:
                b.add(f"{scope}/add", "add")
            b.add(f"{scope}/relu", "relu")
            inputs = filters
    return b.head(64)


def bottleneck_net(n):
    b = Builder()
    b.conv("stem", "conv", 3, 3, 16, "conv bn relu")
    inputs, inner = 16, 16
    for stage in range(3):
        outer = inner * (4 if stage == 0 else 2)
        for block in range(n):
            scope = f"stage{stage + 1}/block{block + 1}"
            first = "conv" if stage == 0 and block == 0 else "bn relu conv"
            b.conv(scope, "conv1", 1, inputs, inner, first)
            b.conv(scope, "conv2", 3, inner, inner, "bn relu conv")
            b.conv(scope, "conv3", 1, inner, outer, "bn relu conv")
            if block == 0:
                b.conv(scope, "projection", 1, inputs, outer, "conv")
            b.add(f"{scope}/add", "add")
            inputs = outer
        inner = outer
    b.add("head/bn", "batchNorm", inputs)
    b.add("head/relu", "relu")
    return b.head(inputs)


def expected_layers(family, n):
    return bottleneck_net(n) if family == "v2" else basic_net(n, residual=family == "v1")


def _construction_order(layer):
    """Keras numbers layers of a kind as they are built: conv2d, conv2d_1, conv2d_2, …"""
    number = layer.name.rsplit("_", 1)[-1]
    return int(number) if number.isdigit() else 0


def match_layers(model, family, n):
    """Pairs (expected, Keras layer) in construction order; the k-th of a kind is the k-th of that kind."""
    queues = {}
    for layer in sorted(model.layers, key=_construction_order):
        if type(layer).__name__ != "InputLayer":
            queues.setdefault(KINDS[type(layer).__name__], []).append(layer)
    expected = expected_layers(family, n)
    pairs = [(layer, queues[layer.kind].pop(0)) for layer in expected]
    left = [layer.name for queue in queues.values() for layer in queue]
    if left:
        raise AssertionError(f"Keras layers without a name of ours: {left}")
    return pairs


def parameters_of(pairs):
    """Our parameter names → Keras variables, in the order of our layers. Shapes must agree."""
    found = {}
    for expected, layer in pairs:
        for variable, kind in VARIABLES.get(expected.kind, {}).items():
            value = getattr(layer, variable)
            name = f"{expected.name}/{kind}"
            if tuple(value.shape) != expected.parameter_shape(kind):
                raise AssertionError(f"{name} is {expected.parameter_shape(kind)}, {value.path} is {value.shape}")
            found[name] = value
    count = sum(math.prod(v.shape) for v in found.values())
    if count != sum(layer.count_params() for _, layer in pairs):
        raise AssertionError("some Keras variables have no name of ours")
    return found
