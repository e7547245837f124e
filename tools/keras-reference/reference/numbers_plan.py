"""What is computed for which model; without Keras, since the parent process reads it too."""

RUNS = {
    "adam": {"name": "Adam", "learningRate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7},
    "sgd-momentum": {"name": "SGD", "learningRate": 0.05, "momentum": 0.9, "nesterov": False},
    "sgd-nesterov": {"name": "SGD", "learningRate": 0.05, "momentum": 0.9, "nesterov": True},
    "adamw": {
        "name": "AdamW",
        "learningRate": 1e-3,
        "weightDecay": 0.01,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-7,
    },
    "label-smoothing": {
        "name": "Adam",
        "learningRate": 1e-3,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-7,
        "labelSmoothing": 0.1,
    },
}
MODELS = {"resnet8v1": ("v1", 8, tuple(RUNS)), "resnet11v2": ("v2", 11, ("adam",))}
BATCHES = [32] * 9 + [16]
INFERENCE_BATCH = 8
