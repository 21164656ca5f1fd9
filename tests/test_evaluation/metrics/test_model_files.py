import inspect
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from evaluation.metrics.model_files import MA_MODEL, NIQE_PARAMETERS, VGG19_WEIGHTS
from sr_program.files.hashes import git_blob_id


def test_the_checksum_of_the_official_niqe_parameters(shared):
    path = shared / "reference" / "metrics" / "niqe_modelparameters.mat"
    if not path.is_file():
        pytest.skip(f"needs the official parameters, {path}")
    assert git_blob_id(path) == NIQE_PARAMETERS.content


@pytest.mark.parametrize("file", [MA_MODEL, NIQE_PARAMETERS])
def test_the_published_files(file):
    url = urlsplit(file.url)
    assert url.scheme == "https"
    assert url.path.endswith(".mat")
    assert len(bytes.fromhex(file.content)) == 20
    assert Path(file.name).name == file.name


def test_the_published_vgg19():
    """What keras.applications downloads, and the hash that it expects."""
    from keras.src.applications import vgg19

    assert VGG19_WEIGHTS.url == vgg19.WEIGHTS_PATH_NO_TOP
    source = inspect.getsource(vgg19)
    assert source.count(f'"{VGG19_WEIGHTS.content.removeprefix("md5:")}"') == 1
    assert Path(urlsplit(VGG19_WEIGHTS.url).path).name == VGG19_WEIGHTS.name
