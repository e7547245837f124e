"""Reads a run's event file with TensorBoard itself and compares it with history.csv.

    python3 -m venv /tmp/tensorboard && /tmp/tensorboard/bin/pip install -r requirements.txt
    /tmp/tensorboard/bin/python check.py runs/resnet20v1
"""

import csv
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TAGS = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "images_per_second")


def float32(text):
    return struct.unpack("f", struct.pack("f", float(text)))[0]


def check(run):
    rows = list(csv.DictReader(open(run / "history.csv", newline="")))
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    problems = []
    for tag in TAGS:
        expected = {int(row["epoch"]): row[tag] for row in rows if row[tag] != ""}
        scalars = events.Scalars(tag) if tag in events.Tags()["scalars"] else []
        if [event.step for event in scalars] != list(expected):
            problems.append(f"{tag}: steps {[event.step for event in scalars]}, but epochs {list(expected)}")
            continue
        for event in scalars:
            # history.csv has one decimal of the speed, and all digits of the rest.
            tolerance = 0.06 if tag == "images_per_second" else 0
            if abs(event.value - float32(expected[event.step])) > tolerance:
                problems.append(f"{tag}, epoch {event.step}: {event.value}, but {expected[event.step]}")
    for problem in problems:
        print(problem)
    print(f"{run}: {len(rows)} epochs, {len(TAGS)} scalars: {'DIFFERENT' if problems else 'the same'}")
    return not problems


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(0 if all([check(Path(run)) for run in sys.argv[1:]]) else 1)
