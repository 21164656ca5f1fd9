"""One update on JAX: a pure function of the variables' values, to be compiled and scanned.

Keras calls such functions stateless: the values of all variables go in and come out, in tuples, and
the variables themselves keep what they had until someone writes the values back.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras

from srgan.steps.paired_optimizer import global_norm

# An AdversarialModel, whose module imports this one.
Model = Any


class State(NamedTuple):
    """The values of a model's variables, each in the order of the model's list.

    Attributes:
        trainable: Of the generator, then of the discriminator.
        non_trainable: BatchNorm's statistics, φ.
        optimizer: Of the pair of optimizers.
    """

    trainable: tuple
    non_trainable: tuple
    optimizer: tuple


def variables(model: Model) -> State:
    """The variables whose values a `State` holds."""
    generator, discriminator = model.trainable_pair
    return State(
        (*generator, *discriminator),
        tuple(model.non_trainable_variables),
        tuple(model.optimizer.variables),
    )


def read_state(model: Model) -> State:
    """The values that the variables have now."""
    return State(*(tuple(v.value for v in group) for group in variables(model)))


def write_state(model: Model, state: State) -> None:
    """Gives the variables the values of a state."""
    for group, values in zip(variables(model), state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)


def gradients(
    model: Model, state: State, lr: Any, hr: Any
) -> tuple[list[Any], tuple, dict[str, Any]]:
    """Each network's gradient of its own loss, from one forward pass.

    Args:
        model: What the values belong to.
        state: The values.
        lr: float32 [B, h, w, 3] in [-1, 1].
        hr: float32 [B, 4h, 4w, 3] in [-1, 1].

    Returns:
        The gradients in the order of `State.trainable`, the new non-trainable values, and the
        terms to log.
    """
    import jax

    owners = variables(model)
    split = len(model.trainable_pair[0])

    def losses(trainable: tuple) -> tuple[tuple[Any, Any], tuple]:
        mapping = [
            *zip(owners.trainable, trainable, strict=True),
            *zip(owners.non_trainable, state.non_trainable, strict=True),
            # The number of the update, which a loss may depend on.
            *zip(owners.optimizer, state.optimizer, strict=True),
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            passes = model.run_networks(lr, hr)
            g_loss, logs = model.generator_phase(hr, passes)
            d_loss = 0.0 * g_loss
            if model.discriminator is not None:
                d_loss, d_logs = model.discriminator_phase(passes)
                logs = {**logs, **d_logs}
        # What BatchNorm has written in this pass, else the old value.
        after = tuple(
            old if (new := scope.get_current_value(v)) is None else new
            for v, old in zip(owners.non_trainable, state.non_trainable, strict=True)
        )
        return (g_loss, d_loss), (after, logs)

    # One pass forward and two backward; the compiler drops what neither result needs.
    (g_loss, d_loss), backward, (after, logs) = jax.vjp(losses, state.trainable, has_aux=True)
    one = jax.numpy.ones_like(g_loss)
    zero = jax.numpy.zeros_like(one)
    (of_generator,) = backward((one, zero))
    (of_discriminator,) = backward((zero, one.astype(d_loss.dtype)))
    return [*of_generator[:split], *of_discriminator[split:]], after, logs


def update(model: Model, state: State, lr: Any, hr: Any) -> tuple[dict[str, Any], State]:
    """One simultaneous update of both networks; the arguments are those of `gradients`.

    Returns:
        The terms to log, float32 scalars, and the new values.
    """
    grads, non_trainable, logs = gradients(model, state, lr, hr)
    split = len(model.trainable_pair[0])
    logs["grad_norm_g"] = global_norm(grads[:split])
    if grads[split:]:
        logs["grad_norm_d"] = global_norm(grads[split:])
    owners = variables(model)
    mapping = [
        *zip(owners.trainable, state.trainable, strict=True),
        *zip(owners.optimizer, state.optimizer, strict=True),
    ]
    with keras.StatelessScope(state_mapping=mapping) as scope:
        model.optimizer.apply(grads, list(owners.trainable))
    trainable, optimizer = (
        tuple(
            old if (new := scope.get_current_value(v)) is None else new
            for v, old in zip(group, values, strict=True)
        )
        for group, values in (
            (owners.trainable, state.trainable),
            (owners.optimizer, state.optimizer),
        )
    )
    return logs, State(trainable, non_trainable, optimizer)
