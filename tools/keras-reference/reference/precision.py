"""Puts Keras into one float type for the whole process; to be called before any model is built."""

import keras


def set_precision(floatx):
    """'float64' or 'float32'. JAX itself needs JAX_ENABLE_X64=1 in the environment for the former."""
    keras.config.set_floatx(floatx)
    if floatx != "float64":
        return
    # With the JAX engine Keras's type promotion turns float64 into float32, whatever floatx says: a batch norm of a
    # float64 net then computes in float32, silently. This is the entry that its TensorFlow engine has.
    from keras.src.backend.common import dtypes

    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    if keras.backend.result_type("float64", "float32") != "float64":
        raise RuntimeError(
            f"Keras {keras.__version__} still promotes float64 to float32: the fixtures would be inexact. "
            "See reference/precision.py."
        )
