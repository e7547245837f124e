"""The example's networks with formula weights, under Skiplane's names."""

import contextlib
import io

import keras
import resnet_cifar10 as script

from . import formula
from .layers import match_layers, parameters_of

INPUT_SHAPE = formula.IMAGE_SHAPE


def plain_net(input_shape, depth, num_classes=10):
    """v1 without additions and projections, out of the example's own layers."""
    filters = 16
    inputs = keras.Input(shape=input_shape)
    x = script.resnet_layer(inputs)
    for stack in range(3):
        for block in range((depth - 2) // 6):
            strides = 2 if stack > 0 and block == 0 else 1
            x = script.resnet_layer(x, num_filters=filters, strides=strides)
            x = script.resnet_layer(x, num_filters=filters)
        filters *= 2
    x = keras.layers.AveragePooling2D(pool_size=8)(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(num_classes, activation="softmax", kernel_initializer="he_normal")(x)
    return keras.Model(inputs, x)


BUILDERS = {"v1": script.resnet_v1, "v2": script.resnet_v2, "plain": plain_net}


class Network:
    """A fresh Keras model with our names: `pairs` of layers, `parameters` by name."""

    def __init__(self, family, depth):
        keras.utils.clear_session(free_memory=False)
        self.family = family
        self.depth = depth
        self.n = (depth - 2) // (9 if family == "v2" else 6)
        self.model = BUILDERS[family](INPUT_SHAPE, depth)
        self.pairs = match_layers(self.model, family, self.n)
        self.parameters = parameters_of(self.pairs)
        self._names = {id(variable): name for name, variable in self.parameters.items()}

    @property
    def title(self):
        return f"plain{self.depth}" if self.family == "plain" else f"resnet{self.depth}{self.family}"

    def set_formula_weights(self):
        for name, variable in self.parameters.items():
            variable.assign(formula.parameter(name, tuple(variable.shape)))
        return self

    def compile(self, optimizer, label_smoothing=0.0):
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
        self.model.compile(loss=loss, optimizer=optimizer, metrics=["accuracy"])
        return self

    def weights(self):
        return {name: keras.ops.convert_to_numpy(variable) for name, variable in self.parameters.items()}

    def name_of(self, variable):
        return self._names[id(variable)]

    def penalty(self):
        """Keras's own regularization losses, summed: 1e-4·Σw² over the convolutions' filters."""
        return float(sum(float(loss) for loss in self.model.losses))


@contextlib.contextmanager
def silence():
    """The script prints the learning rate each time it is asked."""
    with contextlib.redirect_stdout(io.StringIO()) as text:
        yield text
