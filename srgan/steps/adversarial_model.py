"""A generator and its discriminator, updated at once from the same forward passes.

A step runs every network once on each of its inputs: G(lr), D(hr), D(G(lr)), φ(hr) and
φ(G(lr)). D takes both images in one call, but for one with BatchNorm, whose statistics are those of
one kind of image. R1, where it is asked for and due, runs D on hr once more. Both losses are
functions of those passes, and each network's gradient is taken from its own loss; neither sees the
other's update of the same step. The phases below are written with `keras.ops` alone; what an engine
does with them (TensorFlow's tape, JAX's transposition of the forward pass) is `train_step`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from srgan.config import ObjectiveConfig
from srgan.losses.equations import discriminator_loss, relativistic_discriminator_loss
from srgan.losses.gradient_penalty import lazy_r1
from srgan.losses.phase_shift import moved, shifted
from srgan.steps import jax_step
from srgan.steps.loss_terms import LossTerms, Passes
from srgan.steps.paired_optimizer import PairedOptimizer, global_norm


class AdversarialModel(keras.Model, LossTerms):
    """Generator, discriminator and the objective that ties them; a branch subclasses it.

    A branch overrides `generator_terms`, the sum that its section of the paper minimises.

    Args:
        generator: LR to SR images, both in [-1, 1].
        objective: The loss and its weights.
        discriminator: HR-sized images to logits; None trains the generator alone.
        features: φ, frozen; None where the objective has no perceptual loss.
        feature_scale: Factor of the features' distance (`srgan.vgg.features.feature_scale`); where
            φ has several outputs, one of each.
    """

    def __init__(
        self,
        generator: keras.Model,
        objective: ObjectiveConfig,
        *,
        discriminator: keras.Model | None = None,
        features: keras.Model | None = None,
        feature_scale: float | Sequence[float] = 1.0,
    ) -> None:
        super().__init__(name="adversarial_model")
        self.generator = generator
        self.discriminator = discriminator
        self.features = features
        self.objective = objective
        self.feature_scale = feature_scale
        if features is not None:
            features.trainable = False
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """G(lr)."""
        return self.generator(inputs, training=training)

    def compile_pair(self, optimizer: PairedOptimizer) -> None:
        """Attaches the optimizer and creates its slots.

        XLA is left off on TensorFlow, where it makes these networks slower on a CPU.
        """
        optimizer.build_pair(*self.trainable_pair)
        self.compile(optimizer=optimizer, jit_compile=keras.backend.backend() == "jax")

    @property
    def trainable_pair(self) -> tuple[list, list]:
        """The generator's trainable variables, and the discriminator's."""
        discriminator = self.discriminator
        return (
            self.generator.trainable_variables,
            [] if discriminator is None else discriminator.trainable_variables,
        )

    # Phases, engine-neutral.

    def run_networks(self, lr: Any, hr: Any) -> Passes:
        """Runs each network once on each of its inputs, in training mode."""
        sr = self.generator(lr, training=True)
        real = fake = r1 = real_features = fake_features = None
        scale = ops.shape(hr)[1] // ops.shape(lr)[1]
        if self.discriminator is not None:
            judged = (hr, sr)
            if self.objective.discriminator_shift:
                judged = tuple(moved(x, self.optimizer.iterations, scale) for x in judged)
            real, fake = self.judge(*judged)
            if self.objective.r1_gamma:
                every = self.objective.r1_every
                r1 = lazy_r1(self.discriminator, judged[0], self.optimizer.iterations, every)
        if self.features is not None:
            compared = (hr, sr)
            if self.objective.vgg_shift:
                compared = [shifted(x, self.optimizer.iterations, scale) for x in compared]
            real_features, fake_features = (self.features(x, training=False) for x in compared)
            real_features = keras.tree.map_structure(ops.stop_gradient, real_features)
        return Passes(sr, real, fake, r1, real_features, fake_features)

    def judge(self, hr: Any, sr: Any) -> tuple[Any, Any]:
        """D(hr) and D(sr), in training mode."""
        discriminator: Any = self.discriminator
        if self.objective.discriminator_batch_norm:
            return discriminator(hr, training=True), discriminator(sr, training=True)
        # Each image's logits are its own affair; one call makes the gradient of the weights faster.
        logits = discriminator(ops.concatenate([hr, sr], axis=0), training=True)
        real, fake = ops.split(logits, 2, axis=0)
        return real, fake

    def generator_terms(self, hr: Any, passes: Passes) -> dict[str, tuple[float, Any]]:
        """The terms of the branch's equation: name → (weight, unweighted value).

        A branch puts them together from the methods of `LossTerms`.
        """
        raise TypeError(f"{type(self).__name__} does not say which loss it minimises")

    def generator_phase(self, hr: Any, passes: Passes) -> tuple[Any, dict[str, Any]]:
        """The generator's loss, and what to log of it."""
        terms = self.generator_terms(hr, passes)
        if not terms:
            raise ValueError("the generator's loss has no term left")
        loss = sum(weight * value for weight, value in terms.values())
        return loss, {"loss_g": loss, **{name: value for name, (_, value) in terms.items()}}

    def discriminator_phase(self, passes: Passes) -> tuple[Any, dict[str, Any]]:
        """The discriminator's loss, and what to log of it.

        Logged are the loss without R1, so that it can be compared from update to update, mean D(x)
        and D(G(x)), and R1 before its weight.
        """
        real, fake = passes.real_logits, passes.fake_logits
        if self.objective.relativistic:
            loss = relativistic_discriminator_loss(real, fake)
        else:
            loss = discriminator_loss(real, fake, logarithm=self.objective.logarithm)
        logs = {
            "loss_d": loss,
            "d_real": ops.mean(ops.sigmoid(ops.cast(real, "float32"))),
            "d_fake": ops.mean(ops.sigmoid(ops.cast(fake, "float32"))),
        }
        if passes.r1 is None:
            return loss, logs
        weight = 0.5 * self.objective.r1_gamma * self.objective.r1_every
        return loss + weight * passes.r1, {**logs, "r1": passes.r1}

    # The engines.

    def train_step(self, *arguments: Any) -> Any:
        """One simultaneous update, in the form that Keras' trainer of the backend wants.

        On TensorFlow: (data) → logs, and the variables are updated. On JAX: (state, data) →
        (logs, state), where state is Keras' four lists of values. The data are (lr, hr), float32 in
        [-1, 1]; the logs are each loss term, mean D(x) and D(G(x)), and both gradients' norms.
        """
        lr, hr, _ = keras.utils.unpack_x_y_sample_weight(arguments[-1])
        if keras.backend.backend() == "jax":
            trainable, non_trainable, optimizer, metrics = arguments[0]
            state = jax_step.State(tuple(trainable), tuple(non_trainable), tuple(optimizer))
            logs, state = jax_step.update(self, state, lr, hr)
            return logs, (*map(list, state), metrics)
        gradients, logs = mean_of_replicas(*self.tape_gradients(lr, hr))
        split = len(self.trainable_pair[0])
        logs["grad_norm_g"] = global_norm(gradients[:split])
        if gradients[split:]:
            logs["grad_norm_d"] = global_norm(gradients[split:])
        generator, discriminator = self.trainable_pair
        self.optimizer.apply(gradients, [*generator, *discriminator])
        return logs

    def tape_gradients(self, lr: Any, hr: Any) -> tuple[list[Any], dict[str, Any]]:
        """Each network's gradient of its own loss, from one forward pass, on TensorFlow.

        Args:
            lr: float32 [B, h, w, 3] in [-1, 1].
            hr: float32 [B, 4h, 4w, 3] in [-1, 1].

        Returns:
            The gradients of the generator's variables, then of the discriminator's; the terms to
            log.
        """
        # Imported here so that the model can be built where TensorFlow is not installed.
        import tensorflow as tf

        g_variables, d_variables = self.trainable_pair
        with tf.GradientTape(persistent=True) as tape:
            passes = self.run_networks(lr, hr)
            g_loss, logs = self.generator_phase(hr, passes)
            if d_variables:
                d_loss, d_logs = self.discriminator_phase(passes)
                logs.update(d_logs)
        gradients = tape.gradient(g_loss, [v.value for v in g_variables])
        if d_variables:
            gradients += tape.gradient(d_loss, [v.value for v in d_variables])
        del tape
        return gradients, logs

    # The average.

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Within it the generator's trainable weights are their moving averages, if it has any."""
        optimizer = self.optimizer.generator
        # Before the first update the averages are not set.
        if not optimizer.use_ema or not int(ops.convert_to_numpy(optimizer.iterations)):
            yield
            return
        variables = self.generator.trainable_variables
        current = [ops.convert_to_numpy(v).copy() for v in variables]
        optimizer.finalize_variable_values(variables)
        try:
            yield
        finally:
            for variable, value in zip(variables, current, strict=True):
                variable.assign(value)


def mean_of_replicas(
    gradients: list[Any], logs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """On several devices of TensorFlow: the whole batch's gradients and losses, from all parts'.

    All parts have the same size, and every loss is a mean over the batch.
    """
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return gradients, logs
    values = tf.stack([tf.cast(value, tf.float32) for value in logs.values()])
    *gradients, values = context.all_reduce(tf.distribute.ReduceOp.MEAN, [*gradients, values])
    return gradients, dict(zip(logs, tf.unstack(values), strict=True))
