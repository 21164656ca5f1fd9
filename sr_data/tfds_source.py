"""Images of a TensorFlow Datasets data set with random access, without TensorFlow.

TFDS (the extra `datasets`) is imported when a source is opened; it reads ArrayRecord files without
TensorFlow, which it needs only to make a data set.
"""

import importlib
import re
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr_images.image_io import decode_rgb
from sr_program.errors import DataError, UsageError, reason

# NAME[/CONFIG][:VERSION][:SPLIT]
_SPEC = re.compile(
    r"(?P<name>\w+(/[\w.,=-]+)?(:(\d+|\*)\.(\d+|\*)\.(\d+|\*))?)(:(?P<split>[^:].*))?"
)
# Importing these registers them with TFDS.
_OWN_BUILDERS = ("raise_sr", "sr_benchmarks")
# Which feature is the image, best first.
_FEATURES = ("hr", "image")


class TfdsSource:
    """The high-resolution images of one split; an item is decoded at each access.

    The image is the feature `hr` or `image`, or else the only image that an example has. A data set
    that is not there yet is downloaded and made, in the format array_record.
    """

    def __init__(self, spec: str):
        """Opens a data set, in the folder that the environment variable TFDS_DATA_DIR names.

        Args:
            spec: NAME, NAME/CONFIG, either with :VERSION, and :SPLIT, by default train or else the
                only split. As TFDS names them: div2k/bicubic_x4:train, raise_sr/raise_1k.

        Raises:
            UsageError: the text has another form, or names no split, data set or config.
            DataError: TFDS is missing, the data set cannot be made or is not in a format with
                random access, or it has no image.
        """
        match = _SPEC.fullmatch(spec)
        if not match:
            raise UsageError(f"unknown data set {spec!r}; write tfds:NAME[/CONFIG][:SPLIT]")
        self._spec = spec
        tfds = _tensorflow_datasets()
        builder = self._builder(tfds, match["name"])
        self._feature = self._image_feature(tfds, builder.info.features)
        split = match["split"] or self._default_split(builder)
        self._examples = self._open(tfds, builder, split)
        self._names = tuple(f"{split}/{number:06d}" for number in range(len(self._examples)))

    def __str__(self) -> str:
        """The text that `--data` takes."""
        return f"tfds:{self._spec}"

    @property
    def names(self) -> tuple[str, ...]:
        """Split and number of each image: train/000000 and so on."""
        return self._names

    def __len__(self) -> int:
        """Number of images."""
        return len(self._names)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Image uint8 [H, W, 3], RGB; `DataError` if it cannot be used."""
        name = f"tfds:{self._spec}: {self._names[index]}"
        try:
            content = self._examples[index][self._feature]
        except Exception as error:  # whatever the packages beneath raise on a damaged file
            raise DataError(f"{name}: {reason(error, most=300)}") from error
        return decode_rgb(content, name)

    def _builder(self, tfds: ModuleType, name: str) -> Any:
        registered = name.split("/")[0].split(":")[0]
        if registered in _OWN_BUILDERS:
            importlib.import_module(f"sr_data.builders.{registered}")
        try:
            builder = tfds.builder(name)
            if builder.is_prepared():
                return builder
            builder = tfds.builder(name, file_format="array_record")
        except Exception as error:
            raise UsageError(f"tfds:{self._spec}: {reason(error, most=300)}") from error
        try:
            builder.download_and_prepare()
        except (DataError, UsageError, OSError):
            raise
        except Exception as error:
            raise DataError(
                f"tfds:{self._spec}: cannot be made: {reason(error, most=300)}"
            ) from error
        return builder

    def _open(self, tfds: ModuleType, builder: Any, split: str) -> Any:
        try:
            return builder.as_data_source(split, decoders=_encoded_images(tfds, builder))
        except NotImplementedError as error:
            raise DataError(
                f"tfds:{self._spec}: is there in a format without random access, in "
                f"{builder.data_dir}; build it with --file_format=array_record, or name another "
                "folder by TFDS_DATA_DIR, where it is made so"
            ) from error
        except ValueError as error:
            raise UsageError(f"tfds:{self._spec}: {reason(error, most=300)}") from error
        except Exception as error:
            raise DataError(f"tfds:{self._spec}: {reason(error, most=300)}") from error

    def _image_feature(self, tfds: ModuleType, features: Any) -> str:
        images = _image_features(tfds, features)
        for name in (*_FEATURES, *(images if len(images) == 1 else ())):
            if name in images:
                return name
        raise DataError(
            f"tfds:{self._spec}: has no feature {' or '.join(_FEATURES)} that is an image, "
            f"its images are: {', '.join(images) or 'none'}; name another data set"
        )

    def _default_split(self, builder: Any) -> str:
        splits = list(builder.info.splits)
        if "train" in splits:
            return "train"
        if len(splits) == 1:
            return splits[0]
        raise UsageError(f"tfds:{self._spec}: name a split: {', '.join(splits)}")


def _image_features(tfds: ModuleType, features: Any) -> list[str]:
    items = features.items() if hasattr(features, "items") else ()
    return [name for name, feature in items if isinstance(feature, tfds.features.Image)]


def _encoded_images(tfds: ModuleType, builder: Any) -> dict[str, Any]:
    """Leaves images as the bytes of their files: of an LR image beside HR nothing is wanted."""
    names = _image_features(tfds, builder.info.features)
    return {name: tfds.decode.SkipDecoding() for name in names}


def _tensorflow_datasets() -> ModuleType:
    try:
        return importlib.import_module("tensorflow_datasets")
    except ImportError as error:
        raise DataError(
            f"data sets of TFDS need its package ({reason(error, most=300)}): "
            "pip install 'bi-gans-st[datasets]'"
        ) from error
