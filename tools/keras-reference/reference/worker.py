"""One part of the work in one float type, in a process of its own: python -m reference.worker PART FLOATX OUT_FOLDER"""

import json
import pathlib
import sys

import numpy as np
from absl import logging

from .precision import set_precision


def numbers(out):
    from .numbers import numbers as compute

    np.savez(out / "numbers.npz", **compute())


def callbacks(out):
    # Keras warns of the .h5 format at each of some hundred checkpoints.
    logging.set_verbosity(logging.ERROR)
    from . import callback_cases, rate_cases

    traces = {
        "ModelCheckpoint": callback_cases.checkpoints(),
        "ReduceLROnPlateau": callback_cases.plateaus(),
        "EarlyStopping": callback_cases.early_stops(),
        "LearningRateScheduler": rate_cases.schedulers(),
    }
    found = {"traces": traces, "csv": rate_cases.csv_logs(), "rates": rate_cases.learning_rates()}
    _write(out / "callbacks.json", found)


def tables(out):
    from . import tables as t

    cases, images = t.augmentation()
    np.savez(out / "augmentation.npz", **images)
    _write(out / "tables.json", {"summaries": t.summaries(), "heNormal": t.he_normal(), "augmentation": cases})


def _write(path, value):
    from .storage import plain

    path.write_text(json.dumps(plain(value), allow_nan=False), encoding="utf-8")


PARTS = {"numbers": numbers, "callbacks": callbacks, "tables": tables}

if __name__ == "__main__":
    part, floatx, folder = sys.argv[1:]
    set_precision(floatx)
    sys.setrecursionlimit(100_000)
    PARTS[part](pathlib.Path(folder))
