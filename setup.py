"""Packaging of Bi-GANs-ST. The settings of the tools are in pyproject.toml.

The lists below are plain literals: tests/test_project.py reads them and compares them with
requirements.in and with what the packages really import.
"""

from setuptools import find_packages, setup

VERSION = "0.1.0"

REQUIRES = [
    "absl-py>=2.1",
    "filelock>=3.13",
    "h5py>=3.11",
    # Codecs of deep pictures, and LittleCMS for every depth.
    "imagecodecs>=2025.3.30",
    "keras>=3.14,<4",
    "matplotlib>=3.10",
    "numpy>=2.0",
    # The same cv2 as opencv-python, and it imports on machines without a display. 4.10.0.82 was
    # built for NumPy 1.
    "opencv-python-headless>=4.10.0.84",
    # Older versions read some PNG files wrongly; .ci/ranges found the low ends.
    "pillow>=12.1",
    "platformdirs>=4.2",
    "psutil>=6",
    "scipy>=1.14",
    # Writes TensorBoard events without TensorBoard.
    "tensorboardx>=2.6",
    # The version that was tried. The lock files take tensorflow-cpu on Linux x86-64.
    "tensorflow>=2.21,<2.22",
    "tifffile>=2025.3.30",
    "tqdm>=4.66",
]

EXTRAS = {
    # `python -m bigans.batch` on a cluster of Ray; on one machine it needs the others alone.
    "batch": ["fsspec>=2025.3", "pyarrow>=18", "ray>=2.50", "tenacity>=9"],
    # The same on Dask, which is lighter.
    "dask": [
        "dask>=2025.1",
        "distributed>=2025.1",
        "fsspec>=2025.3",
        "pyarrow>=18",
        "tenacity>=9",
    ],
    # Sets prepared by `python -m sr_data.prepare`, and photos from TensorFlow Datasets.
    "data": ["array-record>=0.8", "importlib-resources>=6", "tensorflow-datasets>=4.9.10"],
    # The program `tfds` imports Beam and mlcroissant without requiring them
    # (tensorflow/datasets#5463). The builders need importlib-resources and TFDS alone.
    "datasets": [
        "apache-beam>=2.65",
        "importlib-resources>=6",
        "mlcroissant>=1.0.9",
        "tensorflow-datasets>=4.9.10",
    ],
    # The page with the knob, `python -m bigans.demo`. Gradio asks for a Pillow older than 13.
    "demo": ["fastapi>=0.115", "gradio>=6.20,<7", "uvicorn>=0.30"],
    # Photos of phones. Its wheels hold libheif and x265, which have licences of their own.
    "heic": ["pillow-heif>=1.6"],
    # The other training engine; on a GPU or TPU install the jax build that its manual names.
    "jax": ["jax>=0.8"],
    # JPEG XL.
    "jxl": ["pillow-jxl-plugin>=1.3.6"],
    # Other runtimes for the fused model: `python -m fusion.export --format=...`.
    "litert": ["ai-edge-litert>=2.0"],
    # A further column of the evaluation; it brings PyTorch.
    "lpips": ["lpips>=0.1.4", "torch>=2.2"],
    "onnx": ["onnx>=1.17", "onnxruntime>=1.20", "tf2onnx>=1.17"],
    # Also what `python -m bigans --runtime=openvino` runs on.
    "openvino": ["openvino>=2025.0"],
    # `make upscale` takes its sample photo from scikit-image.
    "sample": ["scikit-image>=0.25"],
    # A model on a server of TensorFlow Serving: `--model=server:HOST:PORT`.
    "serving": ["grpcio>=1.66", "protobuf>=5", "tenacity>=9", "urllib3>=2"],
    # A further column of the evaluation; it brings PyTorch.
    "stlpips": ["stlpips-pytorch>=0.0.2", "torch>=2.2"],
    "test": [
        "ai-edge-litert>=2.0",
        "array-record>=0.8",
        "dask>=2025.1",
        "distributed>=2025.1",
        "fsspec>=2025.3",
        "grpcio>=1.66",
        "hypothesis>=6.100",
        "importlib-resources>=6",
        "ipykernel>=6.29",
        "jax>=0.8",
        "mkdocs-material>=9.6",
        "mkdocstrings[python]>=0.29",
        "nbclient>=0.10",
        "onnx>=1.17",
        "onnxruntime>=1.20",
        "openvino>=2025.0",
        "pillow-heif>=1.6",
        "pillow-jxl-plugin>=1.3.6",
        "pre-commit>=4",
        "protobuf>=5",
        "pyarrow>=18",
        "pyright[nodejs]>=1.1.400",
        "pytest>=8.3",
        "pytest-xdist>=3.8",
        "ray>=2.50",
        "ruff>=0.9",
        "scikit-image>=0.25",
        "tenacity>=9",
        "tensorflow-datasets>=4.9.10",
        "tf2onnx>=1.17",
        "urllib3>=2",
        "uv>=0.5",
    ],
}

ENTRY_POINTS = {
    "console_scripts": [
        "bigans-batch = bigans.batch.__main__:cli_main",
        "bigans-fuse = fusion.export:cli_main",
        "bigans-page = bigans.demo.__main__:cli_main",
        "bigans-upscale = bigans.__main__:cli_main",
        "mr-srgan-export = mr_srgan.export:cli_main",
        "mr-srgan-train = mr_srgan.train:cli_main",
        "wp-srgan-export = wp_srgan.export:cli_main",
        "wp-srgan-train = wp_srgan.train:cli_main",
    ]
}

CLASSIFIERS = [
    "Development Status :: 4 - Beta",
    "Intended Audience :: Science/Research",
    "Operating System :: MacOS",
    "Operating System :: Microsoft :: Windows",
    "Operating System :: POSIX :: Linux",
    "Programming Language :: Python :: 3",
    "Programming Language :: Python :: 3.11",
    "Programming Language :: Python :: 3.12",
    "Programming Language :: Python :: 3.13",
    "Topic :: Multimedia :: Graphics",
    "Topic :: Scientific/Engineering :: Image Processing",
]

# Not the README: its links and its picture are those of the repository.
LONG_DESCRIPTION = """
# Bi-GANs-ST for TensorFlow

4x super-resolution with a knob between true and pretty. Two neural networks enlarge the same photo,
one faithfully and one vividly; soft thresholding merges them, and the knob xi says how far to go
from the first (0) to the second (1).

    bigans-upscale photo.jpg --output=photo_x4.png --xi=0.73

```python
from bigans import Upscaler

upscale = Upscaler.from_pretrained()
result = upscale(photo, xi=0.73)  # uint8 [H, W, 3] to uint8 [4H, 4W, 3]
```

The package holds the trained weights. Code: Apache-2.0. **Weights: for research**, because of the
photos that they were trained on; `bigans/pretrained/MODEL_CARD.md` says more.

A reimplementation of Bi-GANs-ST (PIRM-SR 2018), https://arxiv.org/abs/1811.00367.
"""

setup(
    name="bi-gans-st",
    version=VERSION,
    description="4x photo super-resolution: a faithful GAN and a vivid GAN, soft-thresholded",
    long_description=LONG_DESCRIPTION,
    long_description_content_type="text/markdown",
    # The code, and the weights, which are for research: the model card has their terms.
    license_expression="Apache-2.0 AND LicenseRef-Bi-GANs-ST-Weights",
    license_files=["LICENSE", "bigans/pretrained/MODEL_CARD.md"],
    project_urls={"Paper": "https://arxiv.org/abs/1811.00367"},
    classifiers=CLASSIFIERS,
    # TensorFlow 2.21 has no wheel for 3.14.
    python_requires=">=3.11,<3.14",
    packages=find_packages(exclude=["tests", "tests.*", "benchmarks", "benchmarks.*"]),
    package_data={
        # Type checkers read the hints of these: the API, and what it takes and gives.
        **{package: ["py.typed"] for package in ("bigans", "sr_images", "sr_program")},
        "bigans.demo": ["static/*"],
        "bigans.pretrained": ["MODEL_CARD.md", "weights/*"],
        "sr_data": [f"builders/*/*.{suffix}" for suffix in ("bib", "md", "tsv", "txt")],
    },
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points=ENTRY_POINTS,
)
