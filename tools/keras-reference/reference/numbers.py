"""Forward pass, gradients and ten training steps of a network: arrays by name, in whatever float type Keras is set to."""

import keras
import numpy as np

from . import formula
from .networks import Network
from .numbers_plan import BATCHES, INFERENCE_BATCH, MODELS, RUNS

def make_optimizer(plan):
    """Everything that the plan does not say is left at Keras's default."""
    if plan["name"] == "SGD":
        return keras.optimizers.SGD(plan["learningRate"], momentum=plan["momentum"], nesterov=plan["nesterov"])
    kind = getattr(keras.optimizers, plan["name"])
    decay = {"weight_decay": plan["weightDecay"]} if "weightDecay" in plan else {}
    optimizer = kind(plan["learningRate"], **decay)
    if (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) != (plan["beta1"], plan["beta2"], plan["epsilon"]):
        raise AssertionError(f"Keras's defaults are not those of the plan: {optimizer.get_config()}")
    return optimizer


def inference(family, depth):
    net = Network(family, depth).set_formula_weights().compile("adam")
    images, classes, targets = formula.batch("inference", INFERENCE_BATCH)
    features = keras.Model(net.model.input, net.model.layers[-2].output)
    weights = net.weights()
    logits = features.predict(images, verbose=0) @ weights["head/dense/kernel"] + weights["head/dense/bias"]
    probabilities = net.model.predict(images, verbose=0)
    tested = net.model.test_on_batch(images, targets, return_dict=True)
    return {
        "logits": logits,
        "probabilities": probabilities,
        "loss": np.asarray(tested["loss"]),
        "l2": np.asarray(net.penalty()),
        "accuracy": np.asarray(tested["accuracy"]),
    }


def training_step(family, depth):
    """Loss, gradients and new moving statistics of one batch, from the function that Keras's own step differentiates."""
    import jax

    net = Network(family, depth).set_formula_weights().compile("adam")
    model = net.model
    images, classes, targets = formula.batch("step0", BATCHES[0])
    model.optimizer.build(model.trainable_variables)
    model._symbolic_build(data_batch=(images, targets, None))
    values = lambda variables: [v.value for v in variables]

    def loss_of(trainable):
        return model.compute_loss_and_updates(
            trainable,
            values(model.non_trainable_variables),
            values(model.metrics_variables),
            keras.ops.convert_to_tensor(images, dtype=keras.config.floatx()),
            keras.ops.convert_to_tensor(targets, dtype=keras.config.floatx()),
            None,
            training=True,
            optimizer_variables=values(model.optimizer.variables),
        )

    step = jax.jit(jax.value_and_grad(loss_of, has_aux=True))
    (loss, (_, predicted, moving, _)), gradients = step(values(model.trainable_variables))
    predicted = np.asarray(predicted)
    found = {
        "loss": np.asarray(loss),
        "l2": np.asarray(net.penalty()),
        "probabilities": predicted,
        "accuracy": np.asarray(np.mean(predicted.argmax(1) == classes)),
    }
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        found[f"gradients/{net.name_of(variable)}"] = np.asarray(gradient)
    for variable, value in zip(model.non_trainable_variables, moving, strict=True):
        found[f"moving/{net.name_of(variable)}"] = np.asarray(value)
    return found


def ten_steps(family, depth, run):
    plan = RUNS[run]
    net = Network(family, depth).set_formula_weights()
    net.compile(make_optimizer(plan), plan.get("labelSmoothing", 0.0))
    losses, penalties, accuracies = [], [], []
    for k, count in enumerate(BATCHES):
        images, _, targets = formula.batch(f"step{k}", count)
        penalties.append(net.penalty())
        logs = net.model.train_on_batch(images, targets, return_dict=True)
        losses.append(logs["loss"])
        accuracies.append(logs["accuracy"])
    found = {"losses": np.array(losses), "l2": np.array(penalties), "accuracies": np.array(accuracies)}
    for name, value in net.weights().items():
        found[f"weights/{name}"] = value
    optimizer = net.model.optimizer
    found["iterations"] = np.asarray(int(optimizer.iterations))
    if run == "adam":
        states = {"m": optimizer._momentums, "v": optimizer._velocities}
        for state, variables in states.items():
            for of, value in zip(net.model.trainable_variables, variables, strict=True):
                found[f"{state}/{net.name_of(of)}"] = keras.ops.convert_to_numpy(value)
    return found


def numbers():
    """All quantities, called `<model>/<part>/<quantity>[/<parameter>]`."""
    found = {}
    for title, (family, depth, runs) in MODELS.items():
        parts = {"inference": inference(family, depth), "training-step": training_step(family, depth)}
        parts |= {run: ten_steps(family, depth, run) for run in runs}
        for part, quantities in parts.items():
            found |= {f"{title}/{part}/{key}": value for key, value in quantities.items()}
    return found
