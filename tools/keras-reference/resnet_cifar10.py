"""Trains a ResNet on the CIFAR10 dataset: the classic Keras example, repaired for Keras 3.

ResNet v1: [a] Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385
ResNet v2: [b] Identity Mappings in Deep Residual Networks, https://arxiv.org/abs/1603.05027

What was repaired is listed in README.md. Without arguments it does what the example did: ResNet20v1, 200 epochs.
The functions are also what the fixtures are made with.
"""

import argparse
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
from keras import Input, Model
from keras.callbacks import LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau
from keras.layers import Activation, AveragePooling2D, BatchNormalization, Conv2D, Dense, Flatten, add
from keras.optimizers import Adam
from keras.regularizers import l2
from keras.src.legacy.preprocessing.image import ImageDataGenerator  # Keras 3 has no public name for it
from keras.utils import to_categorical

# Training parameters. The paper trains with batches of 128.
batch_size = 32
epochs = 200
data_augmentation = True
num_classes = 10
subtract_pixel_mean = True


def lr_schedule(epoch):
    """1e-3, divided after 80, 120, 160 and 180 epochs. Epochs count from 0."""
    lr = 1e-3
    if epoch > 180:
        lr *= 0.5e-3
    elif epoch > 160:
        lr *= 1e-3
    elif epoch > 120:
        lr *= 1e-2
    elif epoch > 80:
        lr *= 1e-1
    print("Learning rate: ", lr)
    return lr


def resnet_layer(
    inputs,
    num_filters=16,
    kernel_size=3,
    strides=1,
    activation="relu",
    batch_normalization=True,
    conv_first=True,
):
    """conv → batch norm → activation, or (conv_first=False) batch norm → activation → conv."""
    conv = Conv2D(
        num_filters,
        kernel_size=kernel_size,
        strides=strides,
        padding="same",
        kernel_initializer="he_normal",
        kernel_regularizer=l2(1e-4),
    )
    x = inputs
    if conv_first:
        x = conv(x)
        if batch_normalization:
            x = BatchNormalization()(x)
        if activation is not None:
            x = Activation(activation)(x)
    else:
        if batch_normalization:
            x = BatchNormalization()(x)
        if activation is not None:
            x = Activation(activation)(x)
        x = conv(x)
    return x


def resnet_v1(input_shape, depth, num_classes=10):
    """Three stacks of basic blocks with 16, 32 and 64 filters; depth 6n+2."""
    if (depth - 2) % 6 != 0:
        raise ValueError("depth should be 6n+2 (eg 20, 32, 44 in [a])")
    num_filters = 16
    num_res_blocks = int((depth - 2) / 6)

    inputs = Input(shape=input_shape)
    x = resnet_layer(inputs=inputs)
    for stack in range(3):
        for res_block in range(num_res_blocks):
            strides = 1
            if stack > 0 and res_block == 0:  # first layer of a stack but the first: halve the image
                strides = 2
            y = resnet_layer(inputs=x, num_filters=num_filters, strides=strides)
            y = resnet_layer(inputs=y, num_filters=num_filters, activation=None)
            if stack > 0 and res_block == 0:  # linear projection, to match the changed shape
                x = resnet_layer(
                    inputs=x,
                    num_filters=num_filters,
                    kernel_size=1,
                    strides=strides,
                    activation=None,
                    batch_normalization=False,
                )
            x = add([x, y])
            x = Activation("relu")(x)
        num_filters *= 2

    # The classifier; v1 has no batch norm after the last addition.
    x = AveragePooling2D(pool_size=8)(x)
    y = Flatten()(x)
    outputs = Dense(num_classes, activation="softmax", kernel_initializer="he_normal")(y)
    return Model(inputs=inputs, outputs=outputs)


def resnet_v2(input_shape, depth, num_classes=10):
    """Three stages of pre-activation bottlenecks with 64, 128 and 256 filters behind them; depth 9n+2."""
    if (depth - 2) % 9 != 0:
        raise ValueError("depth should be 9n+2 (eg 56 or 110 in [b])")
    num_filters_in = 16
    num_res_blocks = int((depth - 2) / 9)

    inputs = Input(shape=input_shape)
    # v2 has conv, batch norm and activation before it splits into two paths.
    x = resnet_layer(inputs=inputs, num_filters=num_filters_in, conv_first=True)
    for stage in range(3):
        for res_block in range(num_res_blocks):
            activation = "relu"
            batch_normalization = True
            strides = 1
            if stage == 0:
                num_filters_out = num_filters_in * 4
                if res_block == 0:  # first layer of the first stage: the stem has just normalized
                    activation = None
                    batch_normalization = False
            else:
                num_filters_out = num_filters_in * 2
                if res_block == 0:  # first layer of a later stage: halve the image
                    strides = 2

            y = resnet_layer(
                inputs=x,
                num_filters=num_filters_in,
                kernel_size=1,
                strides=strides,
                activation=activation,
                batch_normalization=batch_normalization,
                conv_first=False,
            )
            y = resnet_layer(inputs=y, num_filters=num_filters_in, conv_first=False)
            y = resnet_layer(inputs=y, num_filters=num_filters_out, kernel_size=1, conv_first=False)
            if res_block == 0:  # linear projection, to match the changed shape
                x = resnet_layer(
                    inputs=x,
                    num_filters=num_filters_out,
                    kernel_size=1,
                    strides=strides,
                    activation=None,
                    batch_normalization=False,
                )
            x = add([x, y])
        num_filters_in = num_filters_out

    x = BatchNormalization()(x)
    x = Activation("relu")(x)
    x = AveragePooling2D(pool_size=8)(x)
    y = Flatten()(x)
    outputs = Dense(num_classes, activation="softmax", kernel_initializer="he_normal")(y)
    return Model(inputs=inputs, outputs=outputs)


def load_cifar10(folder=None):
    """Keras's own download, or the records of a folder with the binary version: a label byte, then planes R, G, B."""
    if folder is None:
        from keras.datasets import cifar10

        return cifar10.load_data()

    def read(names):
        records = np.concatenate([np.fromfile(pathlib.Path(folder) / name, np.uint8) for name in names])
        records = records.reshape(-1, 3073)
        return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, :1]

    return read([f"data_batch_{k}.bin" for k in range(1, 6)]), read(["test_batch.bin"])


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=3, help="blocks a stage; depth 6n+2 (v1) or 9n+2 (v2)")
    parser.add_argument("--version", type=int, choices=(1, 2), default=1)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--steps", type=int, help="stop each epoch after so many batches, to try the script")
    parser.add_argument("--data", help="a folder with the binary version of CIFAR-10; else Keras downloads it")
    parser.add_argument("--save-dir", default=os.path.join(os.getcwd(), "saved_models"))
    return parser.parse_args()


def main():
    options = parse_arguments()
    n, version = options.n, options.version
    depth = n * 6 + 2 if version == 1 else n * 9 + 2
    model_type = "ResNet%dv%d" % (depth, version)

    (x_train, y_train), (x_test, y_test) = load_cifar10(options.data)
    if options.steps is not None:
        x_test, y_test = x_test[: options.steps * batch_size], y_test[: options.steps * batch_size]
    input_shape = x_train.shape[1:]

    x_train = x_train.astype("float32") / 255
    x_test = x_test.astype("float32") / 255
    if subtract_pixel_mean:
        x_train_mean = np.mean(x_train, axis=0)
        x_train -= x_train_mean
        x_test -= x_train_mean

    print("x_train shape:", x_train.shape)
    print(x_train.shape[0], "train samples")
    print(x_test.shape[0], "test samples")
    print("y_train shape:", y_train.shape)
    y_train = to_categorical(y_train, num_classes)
    y_test = to_categorical(y_test, num_classes)

    if version == 2:
        model = resnet_v2(input_shape=input_shape, depth=depth)
    else:
        model = resnet_v1(input_shape=input_shape, depth=depth)
    model.compile(
        loss="categorical_crossentropy", optimizer=Adam(learning_rate=lr_schedule(0)), metrics=["accuracy"]
    )
    model.summary()
    print(model_type)

    model_name = "cifar10_%s_model.{epoch:03d}.h5" % model_type
    os.makedirs(options.save_dir, exist_ok=True)
    checkpoint = ModelCheckpoint(
        filepath=os.path.join(options.save_dir, model_name), monitor="val_accuracy", verbose=1, save_best_only=True
    )
    lr_scheduler = LearningRateScheduler(lr_schedule)
    lr_reducer = ReduceLROnPlateau(factor=np.sqrt(0.1), cooldown=0, patience=5, min_lr=0.5e-6)
    callbacks = [checkpoint, lr_reducer, lr_scheduler]

    if not data_augmentation:
        print("Not using data augmentation.")
        model.fit(
            x_train,
            y_train,
            batch_size=batch_size,
            epochs=options.epochs,
            steps_per_epoch=options.steps,
            validation_data=(x_test, y_test),
            shuffle=True,
            callbacks=callbacks,
        )
    else:
        print("Using real-time data augmentation.")
        # Everything else of ImageDataGenerator is off by default; its fill_mode is 'nearest', its interpolation linear.
        datagen = ImageDataGenerator(width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True)
        datagen.fit(x_train)
        model.fit(
            datagen.flow(x_train, y_train, batch_size=batch_size),
            epochs=options.epochs,
            steps_per_epoch=options.steps,
            validation_data=(x_test, y_test),
            callbacks=callbacks,
        )

    scores = model.evaluate(x_test, y_test, verbose=1)
    print("Test loss:", scores[0])
    print("Test accuracy:", scores[1])


if __name__ == "__main__":
    main()
