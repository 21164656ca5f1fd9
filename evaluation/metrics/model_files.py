"""The files that metrics need and that others publish."""

from sr_program.files.downloads import PublishedFile

MA_MODEL = PublishedFile(
    name="ma_model.mat",
    title="the model of the metric of Ma et al.",
    url="https://raw.githubusercontent.com/chaoma99/sr-metric/HEAD/model.mat",
    content="a852aefb6a49e52703044fee4fa60c3f5b8d5adc",
    flag="--ma_model",
)

NIQE_PARAMETERS = PublishedFile(
    name="niqe_modelparameters.mat",
    title="the parameters of NIQE",
    url="https://raw.githubusercontent.com/roimehrez/PIRM2018/HEAD/utils/niqe_release/"
    "modelparameters.mat",
    content="3b212e8643102209c2354f4c8b74ecc8359f8e3c",
    flag="--niqe_parameters",
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
