import dataclasses
import shutil
from typing import Any

import keras
import numpy as np
import pytest

from sr_images.image_io import write_rgb
from sr_program.errors import DataError, UsageError
from srgan.config import ObjectiveConfig
from srgan.runs.building import build_networks, compile_model, open_data
from srgan.vgg.features import FEATURE_SCALE


def objective(vgg_file, **settings) -> ObjectiveConfig:
    return ObjectiveConfig(
        **{"vgg_layer": "block1_conv1", "vgg_weights": str(vgg_file), **settings}
    )


def test_a_full_objective(vgg_file):
    networks = build_networks(objective(vgg_file), 32, "float32")
    assert networks["discriminator"].input_shape == (None, 32, 32, 3)
    assert networks["features"].output_shape == (None, None, None, 64)
    assert networks["feature_scale"] == FEATURE_SCALE["vgg19", "block1_conv1", False]
    with np.load(vgg_file) as weights:
        kernel, bias = networks["features"].get_layer("block1_conv1").get_weights()
        np.testing.assert_array_equal(kernel, weights["block1_conv1_kernel"])
        np.testing.assert_array_equal(bias, weights["block1_conv1_bias"])


def test_only_what_the_objective_needs(vgg_file):
    nothing = objective("missing.npz", adversarial=False, lambda_vgg=0.0)
    assert build_networks(nothing, 20, "float32") == {"discriminator": None, "features": None}
    networks = build_networks(objective(vgg_file, adversarial=False), 20, "float32")
    assert networks["discriminator"] is None and networks["features"] is not None


@pytest.mark.parametrize("batch_norm", [True, False])
def test_discriminator_batch_norm(batch_norm):
    settings = ObjectiveConfig(lambda_vgg=0.0, discriminator_batch_norm=batch_norm)
    layers = build_networks(settings, 16, "float32")["discriminator"].layers
    normalised = [each for each in layers if isinstance(each, keras.layers.BatchNormalization)]
    assert len(normalised) == (7 if batch_norm else 0)


def test_the_scale_that_is_given_outweighs_the_documented_one(vgg_file):
    before = build_networks(
        objective(vgg_file, adversarial=False, vgg_before_relu=True), 16, "float32"
    )
    assert before["feature_scale"] == FEATURE_SCALE["vgg19", "block1_conv1", True]
    given = objective(vgg_file, adversarial=False, feature_scale=0.125)
    assert build_networks(given, 16, "float32")["feature_scale"] == 0.125


def test_distances_without_a_unit_need_no_documented_scale(vgg_file):
    settings = {"adversarial": False, "vgg_distance": "unit"}
    assert build_networks(objective(vgg_file, **settings), 16, "float32")["feature_scale"] == 1.0
    given = objective(vgg_file, feature_scale=0.125, **settings)
    assert build_networks(given, 16, "float32")["feature_scale"] == 0.125


def test_a_layer_without_documented_scale_is_refused_before_its_weights_are_read():
    settings = objective("missing.npz", adversarial=False, vgg_layer="block4_conv1")
    with pytest.raises(UsageError, match="set --feature_scale"):
        build_networks(settings, 16, "float32")
    with pytest.raises(UsageError, match="has no layer 'block9_conv1'"):
        build_networks(objective("missing.npz", vgg_layer="block9_conv1"), 16, "float32")
    with pytest.raises(DataError, match=r"missing\.npz: no such file"):
        build_networks(objective("missing.npz", adversarial=False), 16, "float32")


def test_several_layers(tmp_path, vgg_file):
    with np.load(vgg_file) as arrays:
        weights = dict(arrays)
    weights["block1_conv2_kernel"] = np.zeros((3, 3, 64, 64), np.float32)
    weights["block1_conv2_bias"] = np.full(64, 7, np.float32)
    np.savez(tmp_path / "two.npz", **weights)
    settings = objective(
        tmp_path / "two.npz", adversarial=False, vgg_layers="block1_conv2:0.5,block1_conv1:3"
    )
    networks = build_networks(settings, 16, "float32")
    documented = [FEATURE_SCALE["vgg19", f"block1_conv{i}", False] for i in (2, 1)]
    assert networks["feature_scale"] == [0.5 * documented[0], 3 * documented[1]]
    images = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32)
    second, first = networks["features"](images)
    assert np.all(np.asarray(second) == 7)
    alone = build_networks(objective(vgg_file, adversarial=False), 16, "float32")
    np.testing.assert_array_equal(first, alone["features"](images))
    # The given scale holds for each layer, so that the weights are all that differs.
    settings = dataclasses.replace(settings, feature_scale=0.25)
    assert build_networks(settings, 16, "float32")["feature_scale"] == [0.125, 0.75]


def test_several_layers_of_which_one_has_no_scale():
    settings = objective("missing.npz", vgg_layers="block1_conv1:1,block4_conv1:1")
    with pytest.raises(UsageError, match="no measured feature scale for vgg19 block4_conv1: set"):
        build_networks(settings, 16, "float32")
    with pytest.raises(DataError, match="no such file"):
        build_networks(dataclasses.replace(settings, feature_scale=1.0), 16, "float32")


def test_networks_in_bfloat16(vgg_file):
    networks = build_networks(objective(vgg_file), 16, "mixed_bfloat16")
    for network, layer in (("discriminator", "conv1"), ("features", "block1_conv1")):
        policy = networks[network].get_layer(layer).dtype_policy
        assert (policy.compute_dtype, policy.variable_dtype) == ("bfloat16", "float32")
    assert networks["features"](np.zeros((1, 8, 8, 3))).dtype == "float32"


def test_the_discriminator_that_is_asked_for(vgg_file):
    def built(**changes) -> Any:
        settings = {"lambda_vgg": 0.0, "discriminator_batch_norm": False, **changes}
        return build_networks(objective(vgg_file, **settings), 32, "float32")["discriminator"]

    assert built().output_shape == (None, 1)
    assert built(discriminator_patches=True).output_shape == (None, 2, 2, 1)
    assert built(discriminator_unet=True).output_shape == (None, 32, 32, 1)
    for unet, first in ((False, "conv1"), (True, "first")):
        settings = {"discriminator_unet": unet, "discriminator_filters": 6}
        assert built(**settings).get_layer(first).filters == 6
        assert not built(**settings).non_trainable_variables
        assert built(**settings, spectral_norm=True).non_trainable_variables


@pytest.mark.parametrize("adversarial", [True, False])
def test_compile_model(tiny_model, training_config, adversarial):
    config = training_config(
        adversarial=adversarial,
        **{"learning_rate": 1e-3, "discriminator_learning_rate": 1e-2, "beta_1": 0.5},
        **{"discriminator_beta_1": 0.25},
        **{"schedule": "cosine", "steps": 100},
    )
    model = tiny_model(config)
    compile_model(model, config)  # again
    pair = [model.optimizer.generator, model.optimizer.discriminator]
    assert (pair[1] is not None) == adversarial
    for adam, rate, beta_1 in zip(pair, (1e-3, 1e-2), (0.5, 0.25), strict=True):
        if adam is not None:
            assert adam.beta_1 == beta_1
            adam.iterations.assign(50)
            assert float(adam.learning_rate) == pytest.approx(rate / 2)  # half a cosine


def test_open_data(training_config, photo_dir):
    config = training_config(batch_size=3, crop_size=24, seed=4, steps_per_epoch=7)
    dataset, validation = open_data(config, scale=4)
    assert validation is None and len(dataset) == 7
    lr, hr = dataset[0]
    assert (lr.shape, hr.shape) == ((3, 6, 6, 3), (3, 24, 24, 3))
    other, _ = open_data(training_config(crop_size=24, batch_size=3, seed=5), scale=4)
    assert np.any(other[0][1] != hr)
    half, _ = open_data(config, scale=2)
    assert half[0][0].shape == (3, 12, 12, 3)
    _, validation = open_data(training_config(val_dir=str(photo_dir)), scale=4)
    assert validation is not None and validation.names == ("0", "1", "2")


def test_symmetries(training_config, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    write_rgb(tmp_path / "one.png", image)

    def seen(**settings) -> set[bytes]:
        """All crops that training on one picture of the crops' size shows."""
        config = training_config(data=f"folder:{tmp_path}", batch_size=64, **settings)
        _, hr = open_data(config, scale=4)[0][0]
        return {crop.tobytes() for crop in hr}

    signed = image / np.float32(127.5) - np.float32(1)
    mirrored = {signed.tobytes(), np.ascontiguousarray(signed[:, ::-1]).tobytes()}
    turned = {np.ascontiguousarray(np.rot90(signed, turns)).tobytes() for turns in range(4)}
    assert seen(flips=False, rotations=False) == {signed.tobytes()}
    assert seen(flips=True, rotations=False) == mirrored
    assert seen(flips=False, rotations=True) == turned
    assert len(seen(flips=True, rotations=True)) == 8


def test_degradations(training_config, photo_dir):
    """As many clean crops as were asked for; validation stays clean."""

    def opened(**settings):
        return open_data(training_config(batch_size=32, **settings), scale=4)

    (plain, hr), val = opened(val_dir=str(photo_dir))[0][0], opened(val_dir=str(photo_dir))[1]
    for share, least, most in ((0.0, 0, 3), (0.5, 6, 26), (1.0, 32, 32)):
        settings = {"degradation": "photo", "clean_share": share, "val_dir": str(photo_dir)}
        dataset, validation = opened(**settings)
        lr, same_hr = dataset[0]
        np.testing.assert_array_equal(same_hr, hr)
        clean = sum(np.array_equal(*pair) for pair in zip(lr, plain, strict=True))
        assert least <= clean <= most
        assert val is not None and validation is not None
        for one, other in zip(val, validation, strict=True):
            np.testing.assert_array_equal(one[2], other[2])


def test_data_that_cannot_be_used(training_config, tmp_path, photo_dir):
    def assert_refused(kind, pattern, scale=4, **settings):
        with pytest.raises(kind, match=pattern):
            open_data(training_config(**settings), scale)

    assert_refused(DataError, "missing: no such folder", data=f"folder:{tmp_path / 'missing'}")
    assert_refused(UsageError, "write folder:DIR", data=str(photo_dir))
    assert_refused(DataError, "no usable image", crop_size=64)
    assert_refused(UsageError, r"--crop_size must divide by the scale 8, got 20", 8, crop_size=20)
    assert_refused(DataError, "missing: no such folder", val_dir=str(tmp_path / "missing"))
    assert_refused(UsageError, "--val_dir needs --scale=4, got 2", 2, val_dir=str(photo_dir))


def test_validation_images_are_looked_at_before_training(training_config, photo_dir, tmp_path):
    folder = tmp_path / "val"
    shutil.copytree(photo_dir, folder)
    config = training_config(val_dir=str(folder))
    open_data(config, 4)
    # What is left inside of the border must hold SSIM's window of 11 pixels: 6 + 11 + 6.
    for size, fits in (((24, 40), True), ((40, 20), False), ((20, 40), False)):
        write_rgb(folder / "small.png", np.zeros((*size, 3), np.uint8))
        if fits:
            open_data(config, 4)
            continue
        with pytest.raises(DataError, match=rf"val: small is {size[1]}x{size[0]}; .*remove it"):
            open_data(config, 4)
    (folder / "small.png").write_bytes((folder / "0.png").read_bytes()[:500])
    with pytest.raises(DataError, match=r"small\.png: is damaged"):
        open_data(config, 4)


def test_one_layer_with_a_weight_is_that_layer_alone(vgg_file):
    images = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 3)).astype(np.float32)
    plain, weighted = (
        build_networks(objective(vgg_file, adversarial=False, **layers), 16, "float32")
        for layers in ({}, {"vgg_layers": "block1_conv1:0.5"})
    )
    assert weighted["feature_scale"] == 0.5 * plain["feature_scale"]
    np.testing.assert_array_equal(weighted["features"](images), plain["features"](images))
