"""Traces of the real keras.callbacks, driven epoch by epoch on scripted metrics with a tiny real model."""

import contextlib
import io
import os
import shutil
import tempfile
import warnings

import keras
import numpy as np

NAN = float("nan")
SAVE_DIR = "saved_models"


def tiny_model(learning_rate):
    """Six weights. One batch of training builds its metrics, which mode 'auto' asks for their direction."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(learning_rate), metrics=["accuracy"])
    model.train_on_batch(np.ones((2, 2)), np.eye(2))
    return model


def epochs(**metrics):
    """Columns → one dictionary of metrics an epoch; None leaves a metric out of that epoch."""
    rows = zip(*metrics.values(), strict=True)
    return [{key: value for key, value in zip(metrics, row) if value is not None} for row in rows]


def plain_number(value):
    """JSON has no NaN or infinity: they become strings."""
    if value is None or isinstance(value, (str, bool, int, list)):
        return value
    value = float(value)
    if np.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


class Witness(keras.callbacks.Callback):
    """Last in the list: sees the metrics as the callbacks before it have left them."""

    def on_epoch_end(self, epoch, logs=None):
        self.logs = dict(logs)


class Trace:
    """Drives callbacks as `fit` does, and keeps what they did."""

    def __init__(self, make_callbacks, logs, learning_rate=1e-3):
        self.logs = logs
        self.learning_rate = learning_rate
        self.model = tiny_model(learning_rate)
        self.callbacks = make_callbacks()
        self.witness = Witness()
        self.listed = keras.callbacks.CallbackList([*self.callbacks, self.witness], model=self.model)
        self.rows = []
        self.end = {}
        self.error = None

    def run(self, watch):
        """`watch(callbacks, saved)` gives what is to be kept of the callbacks' state after each epoch."""
        try:
            self._run(watch)
        except Exception as error:
            self.error = {"type": type(error).__name__, "message": str(error)}
        return self

    def _run(self, watch):
        self.listed.on_train_begin()
        for epoch, logs in enumerate(self.logs):
            self.listed.on_epoch_begin(epoch)
            row = {"learningRate": self._rate()}
            self._mark(epoch)
            with self._record(row):
                self.listed.on_epoch_end(epoch, logs)
            row["learningRateAfter"] = self._rate()
            row["loggedLearningRate"] = self.witness.logs.get("learning_rate")
            row["saved"] = self._saved()
            row |= {key: plain_number(value) for key, value in watch(self.callbacks).items()}
            self.rows.append(row)
            if self.model.stop_training:
                break
        with self._record(self.end):
            self.listed.on_train_end()
        self.end["stopTraining"] = bool(self.model.stop_training)
        self.end["weightsOfEpoch"] = int(self.model.get_weights()[0].flat[0]) - 1

    def _rate(self):
        return float(self.model.optimizer.learning_rate)

    def _mark(self, epoch):
        """Gives the model weights that tell which epoch they are of."""
        self.model.set_weights([np.full(w.shape, epoch + 1.0) for w in self.model.get_weights()])

    @staticmethod
    @contextlib.contextmanager
    def _record(row):
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(io.StringIO()) as printed:
            warnings.simplefilter("always")
            yield
        row["printed"] = [line for line in printed.getvalue().split("\n") if line]
        row["warnings"] = [str(w.message) for w in caught if issubclass(w.category, UserWarning)]

    @staticmethod
    def _saved():
        """Names of the files that were written since the last call."""
        if not os.path.isdir(SAVE_DIR):
            return []
        names = sorted(os.listdir(SAVE_DIR))
        shutil.rmtree(SAVE_DIR)
        return names


@contextlib.contextmanager
def scratch():
    """An empty working directory, so that printed paths are relative and the same on every machine."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def record(name, make, config, logs, watch, keep, learning_rate=1e-3):
    """One record of the fixture: a callback's configuration, what it was shown, and what it did.

    `keep` names what matters of each epoch, beside what `watch` gives.
    """
    with scratch():
        trace = _construct(make, config, logs, learning_rate)
        if isinstance(trace, Trace):
            trace.run(watch)
            dropped = {"learningRate", "learningRateAfter", "loggedLearningRate", "saved"} - set(keep)
            rows = [{key: value for key, value in row.items() if key not in dropped} for row in trace.rows]
            done = {"epochs": rows, "end": trace.end, "error": trace.error}
        else:
            done = {"epochs": [], "end": {}, "error": trace}
    shown = [{key: plain_number(value) for key, value in row.items()} for row in logs]
    return {"name": name, "config": config, "initialLearningRate": learning_rate, "metrics": shown, **done}


def _construct(make, config, logs, learning_rate):
    try:
        return Trace(lambda: make(config), logs, learning_rate)
    except ValueError as error:
        return {"type": type(error).__name__, "message": str(error)}
