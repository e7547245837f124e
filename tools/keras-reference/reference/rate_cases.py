"""Traces of LearningRateScheduler and CSVLogger, and the learning rates of the example's 200 epochs."""

import keras
import numpy as np
import resnet_cifar10 as script

from . import formula
from .callback_cases import RATES
from .callbacks import NAN, Trace, epochs, plain_number, record, scratch
from .networks import silence


def halve_every_two(epoch, lr):
    return lr * 0.5 if epoch > 0 and epoch % 2 == 0 else lr


def by_epoch_only(epoch):
    return 0.01 / (epoch + 1)


def integer_rate(epoch, lr):
    return 1


SCHEDULES = {
    "epoch > 0 and epoch % 2 == 0 ? lr * 0.5 : lr": halve_every_two,
    "0.01 / (epoch + 1)": by_epoch_only,
    "1 (an integer)": integer_rate,
}


def schedulers():
    def make(config):
        return [keras.callbacks.LearningRateScheduler(SCHEDULES[config["schedule"]], verbose=1)]

    def case(schedule):
        logs = epochs(val_loss=[1.0] * 6)
        found = record(schedule, make, {"schedule": schedule}, logs, lambda c: {}, RATES)
        # The scheduler speaks at the beginning of an epoch, before the trace listens.
        for row in found["epochs"]:
            del row["printed"]
        return found

    with silence():
        return [case(schedule) for schedule in SCHEDULES]


def csv_logs():
    """The exact text of the files; `\\r\\n` ends a line."""
    metrics = epochs(
        loss=[2.302585092994046, 1e-05, 1.5, NAN],
        accuracy=[0.1, 0.25, 1.0, 0.0],
        val_loss=[2.5, 1.2345678901234567e-07, 123456789012345680.0, float("inf")],
        val_accuracy=[0.1, 0.30000000000000004, 0.5, 0.5],
        learning_rate=[1e-3, 1e-3, 0.00031622776601683794, 1e-4],
    )
    without_validation = [{k: v for k, v in row.items() if not k.startswith("val_")} for row in metrics]
    missing = [metrics[0], {"loss": 1.0, "val_loss": 2.0}, {**metrics[2], "extra": 3.0}]
    first_missing = [{"loss": 1.0, "accuracy": 0.5}, metrics[1]]
    cases = {
        "all metrics": ([metrics], {}),
        "no validation": ([without_validation], {}),
        "a metric missing in an epoch, a new one in another": ([missing], {}),
        "no validation in the first epoch": ([first_missing], {}),
        "separator ;": ([metrics[:2]], {"separator": ";"}),
        "append to an earlier run": ([metrics[:2], metrics[2:]], {"append": True}),
        "without append an earlier run is lost": ([metrics[:2], metrics[2:]], {"append": False}),
    }
    found = []
    for name, (runs, config) in cases.items():
        with scratch():
            traces = [
                Trace(lambda: [keras.callbacks.CSVLogger("log.csv", **config)], run).run(lambda c: {}) for run in runs
            ]
            errors = [trace.error for trace in traces if trace.error]
            if errors:
                raise RuntimeError(f"CSVLogger failed in '{name}': {errors}")
            with open("log.csv", newline="") as file:
                text = file.read()
        shown = [[{k: plain_number(v) for k, v in row.items()} for row in run] for run in runs]
        found.append({"name": name, "config": config, "runs": shown, "text": text})
    return found


def learning_rates():
    """All 200 epochs of the example's three callbacks on a validation loss that falls slowly and noisily."""
    count = script.epochs
    noise = formula.uniform("learning-rates/val_loss", count)
    val_loss = [round(float(x), 4) for x in 0.6 + 1.8 * np.exp(-np.arange(count) / 25) + 0.1 * (noise - 0.5)]
    logs = epochs(val_loss=val_loss)

    def reducer():
        return keras.callbacks.ReduceLROnPlateau(factor=np.sqrt(0.1), cooldown=0, patience=5, min_lr=0.5e-6)

    def scheduler():
        return keras.callbacks.LearningRateScheduler(script.lr_schedule)

    def rates(make):
        with silence() as printed:
            trace = Trace(make, logs, script.lr_schedule(0)).run(lambda c: {})
        if trace.error:
            raise RuntimeError(f"the example's callbacks failed: {trace.error}")
        rows = trace.rows
        return {
            "training": [row["learningRate"] for row in rows],
            "afterEpoch": [row["learningRateAfter"] for row in rows],
            "logged": [row["loggedLearningRate"] for row in rows],
        }, [line for line in printed.getvalue().splitlines() if line.startswith("Learning rate")]

    example, printed = rates(lambda: [reducer(), scheduler()])
    alone, _ = rates(lambda: [reducer()])
    return {
        "valLoss": val_loss,
        # One line was printed while the optimizer was made.
        "printed": printed[1:],
        "example": {**example, "reducedAfterEpochs": _reductions(example)},
        "reducerAlone": {**alone, "reducedAfterEpochs": _reductions(alone)},
    }


def _reductions(rates):
    return [e for e, (now, after) in enumerate(zip(rates["training"], rates["afterEpoch"])) if after < now]
