"""TensorFlow Datasets builder of the super-resolution benchmarks, one config a set."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from sr_data.benchmarks import Benchmark, benchmark_folders, open_benchmark
from sr_data.pairs import ImagePair

# The commit, because the checksums are those of its files.
_SELFEXSR = (
    "https://raw.githubusercontent.com/jbhuang0604/SelfExSR/"
    "18e00f2d1bd3941e9b8d4895d3541543ad86d5b2/data"
)


@dataclass(eq=False)
class BenchmarkConfig(tfds.core.BuilderConfig):
    """A set.

    Attributes:
        benchmark: its name for `sr_data.benchmarks`.
        downloads: number of its images that can be downloaded; 0 where only the manual folder
            serves.
    """

    benchmark: str = ""
    downloads: int = 0

    @property
    def urls(self) -> dict[str, str]:
        """Where the HR images are, by their names."""
        return {
            f"img_{number:03d}_SRF_4": f"{_SELFEXSR}/{self.benchmark}/image_SRF_4/"
            f"img_{number:03d}_SRF_4_HR.png"
            for number in range(1, self.downloads + 1)
        }


def _config(benchmark: str, description: str, downloads: int = 0) -> BenchmarkConfig:
    return BenchmarkConfig(
        name=benchmark.lower(),
        description=description,
        benchmark=benchmark,
        downloads=downloads,
    )


class Builder(tfds.core.GeneratorBasedBuilder):
    """HR images of a benchmark with their 4x smaller LR images, in one split `test`.

    A set in the manual folder is taken from there, in any layout that `sr_data.benchmarks` knows.
    Otherwise Set5, Set14 and BSD100 are downloaded: their HR images, from which LR is made exactly
    as their publishers made it.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Put each set into the manual folder, in a folder of its own: Set5, Set14, BSD100 (or B100),
    Urban100, Manga109, PIRM_val. Layouts: HR/ with LR_x4/; HR/ with LR_bicubic/X4/ (EDSR);
    GTmod12/ with LRbicx4/ (BasicSR); Original/ with 4x_downsampled/ (PIRM); image_SRF_4/ with
    *_HR.png and *_LR.png (SelfExSR); or HR images alone, from which LR is made.

    Set5, Set14 and BSD100 are downloaded where they are not found. The others are published at
    - Urban100: https://github.com/jbhuang0604/SelfExSR (data/Urban100/image_SRF_4)
    - Manga109: http://www.manga109.org (on application)
    - PIRM_val, the self-validation set of the PIRM 2018 challenge: https://pirm.github.io
    """
    MAX_SIMULTANEOUS_DOWNLOADS = 8  # many small files of one host

    BUILDER_CONFIGS = [
        _config("Set5", "5 images, Bevilacqua et al. 2012.", downloads=5),
        _config("Set14", "14 images, one of them gray, Zeyde et al. 2010.", downloads=14),
        _config("BSD100", "100 photos of the Berkeley segmentation data set.", downloads=100),
        _config("Urban100", "100 photos of buildings, Huang et al. 2015."),
        _config("Manga109", "109 pages of manga, Matsui et al. 2017."),
        _config("PIRM_val", "100 photos, the self-validation set of PIRM-SR 2018."),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "hr": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
                    "lr": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
                    "name": tfds.features.Text(),
                    "gray": np.bool_,
                }
            ),
            supervised_keys=("lr", "hr"),
            homepage="https://github.com/jbhuang0604/SelfExSR",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        return {"test": self._generate_examples(self._benchmark(dl_manager))}

    def _benchmark(self, dl_manager: tfds.download.DownloadManager) -> Benchmark:
        name, urls = self.builder_config.benchmark, self.builder_config.urls
        try:
            manual_dir = str(dl_manager.manual_dir)
        except AssertionError:  # it is missing or empty, and TFDS's message says what to do
            if not urls:
                raise
        else:
            if not urls or benchmark_folders(name, manual_dir):
                return open_benchmark(name, manual_dir)
        files = dl_manager.download(urls)
        return Benchmark(name, [ImagePair(image, Path(files[image])) for image in urls])

    def _generate_examples(self, benchmark: Benchmark) -> Iterator[tuple[str, dict[str, Any]]]:
        for image in benchmark:
            yield (
                image.name,
                {"hr": image.hr, "lr": image.lr, "name": image.name, "gray": image.is_gray},
            )
