"""A GAN's training step as Keras' examples write it, for the networks of this project.

Two phases, each with its own forward passes and its own optimizer: the discriminator is updated
first, then the generator against the new discriminator. A step runs G twice on the same input,
and D three times.
"""

from __future__ import annotations

from typing import Any

import keras

from srgan.config import ObjectiveConfig
from srgan.losses.equations import adversarial_loss, discriminator_loss, perceptual_loss, pixel_loss


class PlainGan(keras.Model):
    """A generator and its discriminator, on TensorFlow.

    Args:
        generator: LR to SR.
        discriminator: HR-sized images to logits.
        features: φ, frozen; None where the objective has no perceptual loss.
        objective: The loss and its weights.
        feature_scale: Factor of the features' MSE.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        features: keras.Model | None,
        objective: ObjectiveConfig,
        feature_scale: float,
    ) -> None:
        super().__init__(name="plain_gan")
        self.generator = generator
        self.discriminator = discriminator
        self.features = features
        self.objective = objective
        self.feature_scale = feature_scale
        self.built = True

    def compile_both(
        self,
        generator_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
    ) -> None:
        """Takes an optimizer for each network; the rest is Keras' default."""
        self.compile()
        # Within the step they would be built too, but then TensorFlow traces it twice.
        generator_optimizer.build(self.generator.trainable_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer

    def call(self, inputs: Any, training: bool = False) -> Any:
        """G(lr)."""
        return self.generator(inputs, training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One update of the discriminator, then one of the generator."""
        lr, hr, _ = keras.utils.unpack_x_y_sample_weight(data)
        return {"loss_d": self._update_discriminator(lr, hr), **self._update_generator(lr, hr)}

    def _update_discriminator(self, lr: Any, hr: Any) -> Any:
        import tensorflow as tf

        sr = self.generator(lr, training=True)
        with tf.GradientTape() as tape:
            real = self.discriminator(hr, training=True)
            fake = self.discriminator(sr, training=True)
            loss = discriminator_loss(real, fake, logarithm=self.objective.logarithm)
        variables = self.discriminator.trainable_variables
        gradients = tape.gradient(loss, [v.value for v in variables])
        self.discriminator_optimizer.apply(gradients, variables)
        return loss

    def _update_generator(self, lr: Any, hr: Any) -> dict[str, Any]:
        import tensorflow as tf

        objective = self.objective
        with tf.GradientTape() as tape:
            sr = self.generator(lr, training=True)
            fake = self.discriminator(sr, training=True)
            adversarial = adversarial_loss(fake, logarithm=objective.logarithm)
            loss = objective.lambda_adv * adversarial
            if objective.lambda_pixel:
                loss += objective.lambda_pixel * pixel_loss(hr, sr, objective.pixel_loss)
            if self.features is not None:
                of_hr = self.features(hr, training=False)
                of_sr = self.features(sr, training=False)
                perceptual = perceptual_loss(of_hr, of_sr, scale=self.feature_scale)
                loss += objective.lambda_vgg * perceptual
        variables = self.generator.trainable_variables
        gradients = tape.gradient(loss, [v.value for v in variables])
        self.generator_optimizer.apply(gradients, variables)
        return {"loss_g": loss, "adversarial": adversarial}


def keras_takes_xla() -> bool:
    """Whether Keras compiles a training step with XLA here unless told: not on CPUs alone."""
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile()
    return model.jit_compile
