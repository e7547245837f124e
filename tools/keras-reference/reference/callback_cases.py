"""The scripted sequences of callbacks.py: improvements, plateaus, ties, NaN, and epochs in which a metric is missing."""

import keras
import numpy as np

from .callbacks import NAN, SAVE_DIR, epochs, record

def column(metric, values):
    """The epochs of one metric. Where it is missing at times, another one is there: Keras's logs are never empty."""
    others = {"loss": [1.0] * len(values)} if None in values else {}
    return epochs(**others, **{metric: values})


RATES = ["learningRate", "learningRateAfter", "loggedLearningRate"]
PATTERN = f"{SAVE_DIR}/cifar10_ResNet20v1_model.{{epoch:03d}}.h5"
ACCURACY = [0.1, 0.3, 0.3, 0.25, NAN, 0.45, 0.4501, 0.4, 0.5, 0.5]
LOSS = [2.5, 2.0, 2.0, 2.25, NAN, 1.75, 1.74999, 1.8, 1.5, 1.5]
MISSING = [0.2, None, 0.3, 0.25, None, 0.4]
NAN_FIRST = [NAN, 0.3, 0.6, 0.2]


def checkpoints():
    def make(config):
        return [keras.callbacks.ModelCheckpoint(PATTERN, verbose=1, **config)]

    def case(name, logs, **config):
        return record(name, make, config, logs, lambda c: {"best": c[0].best}, ["saved"])

    both = epochs(val_accuracy=ACCURACY, val_loss=LOSS)
    cases = [
        case(f"{monitor} {mode} {'best' if best else 'every'}", both, monitor=monitor, mode=mode, save_best_only=best)
        for monitor in ("val_accuracy", "val_loss")
        for mode, best in (("auto", True), ("auto", False), ("min", True), ("max", True))
    ]
    one = {"monitor": "val_accuracy", "save_best_only": True}
    return [
        *cases,
        case("metric missing in some epochs", epochs(val_accuracy=MISSING, val_loss=[2.0] * 6), **one),
        case("metric missing, every epoch saved", column("val_accuracy", MISSING), monitor="val_accuracy"),
        case("first value NaN", epochs(val_accuracy=NAN_FIRST), **one),
        case("metric never there", epochs(loss=[1.0, 0.5]), **one),
        case("threshold", epochs(val_accuracy=[0.3, 0.5, 0.50001, 0.4]), **one, initial_value_threshold=0.5),
        case("unknown metric, mode auto", epochs(val_f1=[0.3, 0.5]), monitor="val_f1", save_best_only=True),
        case("unknown metric, mode max", epochs(val_f1=[0.3, 0.5]), monitor="val_f1", save_best_only=True, mode="max"),
    ]


PLATEAU = [2.0, 1.5, 1.5, 1.49995, 1.6, 1.5, 1.55, 1.5, 1.5, 1.5, 1.2, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3]
DROP_BY_DELTA = [2.0, 1.9999, 1.9998, 1.9996, 1.9995, 1.9, 1.9, 1.9]
WITH_NAN = [2.0, NAN, 1.9, NAN, NAN, NAN, 1.8, 1.85, NAN]


def plateaus():
    def make(config):
        return [keras.callbacks.ReduceLROnPlateau(verbose=1, **config)]

    def watch(callbacks):
        callback = callbacks[0]
        return {"best": callback.best, "wait": callback.wait, "cooldownCounter": callback.cooldown_counter}

    def case(name, losses, learning_rate=1e-3, metric="val_loss", **config):
        return record(name, make, config, column(metric, losses), watch, RATES, learning_rate)

    seed = {"factor": float(np.sqrt(0.1)), "cooldown": 0, "patience": 5, "min_lr": 0.5e-6}
    missing = [2.0, 2.0, None, 2.0, None, 2.0, 2.0]
    return [
        case("the example's settings", PLATEAU + [1.3] * 8, **seed),
        case("the example's settings, down to min_lr", [1.0] * 32, learning_rate=1e-5, **seed),
        case("patience 2", PLATEAU, patience=2, factor=0.5),
        case("patience 1", PLATEAU, patience=1, factor=0.5),
        case("patience 0", PLATEAU[:8], patience=0, factor=0.5),
        case("cooldown 1", [1.0] * 14, patience=2, factor=0.5, cooldown=1),
        case("cooldown 3", PLATEAU, patience=2, factor=0.5, cooldown=3),
        case("improves while cooling down", [2.0, 2.0, 2.0, 1.5, 1.5, 1.4, 1.4, 1.4, 1.4], patience=2, cooldown=3),
        case("min_lr", [1.0] * 10, patience=1, factor=0.1, min_lr=2e-6),
        case("starts below min_lr", [1.0] * 4, learning_rate=1e-6, patience=1, factor=0.1, min_lr=1e-5),
        case("default min_delta", DROP_BY_DELTA, patience=2, factor=0.5),
        case("min_delta 0", DROP_BY_DELTA, patience=2, factor=0.5, min_delta=0),
        case("min_delta 0.25", PLATEAU, patience=2, factor=0.5, min_delta=0.25),
        case("negative min_delta", DROP_BY_DELTA, patience=2, factor=0.5, min_delta=-0.25),
        case("NaN", WITH_NAN, patience=2, factor=0.5),
        case("first value NaN", [NAN, 1.0, 0.5, 0.25, 0.1], patience=2, factor=0.5),
        case("metric missing in some epochs", missing, patience=2, factor=0.5),
        case("accuracy, auto", [0.1, 0.2, 0.2, 0.2, 0.3], metric="val_accuracy", monitor="val_accuracy", patience=1),
        case("accuracy, min", [0.1, 0.2, 0.2, 0.2], metric="val_accuracy", monitor="val_accuracy", mode="min", patience=1),
        case("factor 1", [1.0], factor=1.0),
        case("factor 0", [1.0, 1.0, 1.0], factor=0.0, patience=1),
    ]


def early_stops():
    def make(config):
        return [keras.callbacks.EarlyStopping(verbose=1, **config)]

    def watch(callbacks):
        c = callbacks[0]
        return {"best": c.best, "bestEpoch": c.best_epoch, "wait": c.wait, "stoppedEpoch": c.stopped_epoch}

    def case(name, losses, metric="val_loss", **config):
        return record(name, make, config, column(metric, losses), watch, [])

    falling = [2.0, 1.5, 1.5, 1.6, 1.4, 1.45, 1.4, 1.41, 1.42, 1.43]
    accuracy = {"metric": "val_accuracy", "monitor": "val_accuracy"}
    return [
        case("defaults", falling),
        case("patience 0, first epoch", [1.0, 0.9, 0.8, 0.8]),
        case("patience 2", falling, patience=2),
        case("patience 3", falling, patience=3),
        case("patience 3, restore", falling, patience=3, restore_best_weights=True),
        case("restore without stopping", [2.0, 1.0, 1.5, 1.4], patience=5, restore_best_weights=True),
        case("min_delta", [2.0, 1.95, 1.9, 1.85, 1.5], patience=2, min_delta=0.1),
        case("negative min_delta", [2.0, 1.95, 1.9, 1.5], patience=2, min_delta=-0.1),
        case("baseline never reached", [2.0, 1.9, 1.8, 1.7, 1.6], patience=3, baseline=1.0),
        case("baseline reached", [2.0, 1.9, 0.9, 0.95, 0.96, 0.97, 0.98], patience=3, baseline=1.0),
        case("baseline, restore", [2.0, 1.9, 1.95, 1.8], patience=3, baseline=1.0, restore_best_weights=True),
        case("start_from_epoch", [1.0, 2.0, 2.1, 2.2, 2.3, 2.4], patience=2, start_from_epoch=3),
        case("start_from_epoch, restore", [1.0, 2.0, 2.1, 2.2], start_from_epoch=2, restore_best_weights=True),
        case("NaN", [2.0, NAN, 1.5, NAN, NAN, 1.0], patience=2),
        case("first value NaN", [NAN, 1.0, 0.5, 0.2], patience=2, restore_best_weights=True),
        case("metric missing in some epochs", [2.0, None, None, 2.5, None, 2.5, 2.5], patience=2),
        case("accuracy, auto", [0.1, 0.3, 0.3, 0.2, 0.5], patience=2, **accuracy),
        case("accuracy, min", [0.1, 0.3, 0.3, 0.2], patience=2, mode="min", **accuracy),
        case("loss, max", [1.0, 1.5, 1.2, 1.1, 1.6], patience=2, mode="max"),
    ]
