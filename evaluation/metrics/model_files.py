"""The files that metrics need and that others publish."""

from sr_images.niqe import NIQE_PARAMETERS
from sr_program.files.downloads import PublishedFile

__all__ = ["MA_MODEL", "NIQE_PARAMETERS", "VGG19_WEIGHTS"]

MA_MODEL = PublishedFile(
    name="ma_model.mat",
    title="the model of the metric of Ma et al.",
    url="https://raw.githubusercontent.com/chaoma99/sr-metric/HEAD/model.mat",
    content="a852aefb6a49e52703044fee4fa60c3f5b8d5adc",
    flag="--ma_model",
)

VGG19_WEIGHTS = PublishedFile(
    name="vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    title="VGG19's ImageNet weights",
    url="https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    # As keras.applications states it.
    content="md5:253f8cb515780f3b799900260a226db6",
    flag="--vgg_weights",
)
