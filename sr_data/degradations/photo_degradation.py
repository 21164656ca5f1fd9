"""How the low-resolution crops of training become like photos that people have.

An LR image of a benchmark is a clean reduction of a clean photo. Photos of a telephone or from the
web are softer, noisy and compressed, and a generator that has never seen that enlarges the noise
and the blocks. What happens to a crop is drawn anew each time, in the order in which it happens to
photos: blur, reduction, a resize to and fro, the noise of the sensor, and JPEG, once or twice.

Reference: X. Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure
Synthetic Data", 2021, https://arxiv.org/abs/2107.10833; K. Zhang et al., "Designing a Practical
Degradation Model for Deep Blind Image Super-Resolution", 2021, https://arxiv.org/abs/2103.14006.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import numpy as np

from sr_data.degradations.reduction import Kernel

Range = tuple[float, float]

_DRAWS = 32  # numbers a crop; more than are in use, so that a further one moves no others


@dataclass(frozen=True)
class PhotoDegradation:
    """The distributions from which the degradation of a crop is drawn; lengths in LR pixels.

    Shares are probabilities, each drawn alone; ranges are (least, greatest), drawn uniformly where
    nothing else is said.

    Attributes:
        clean_share: crops that stay as they are without degradation. The other shares are of the
            rest.
        blur_share: blurred by a Gaussian before the reduction.
        stretched_share: of the blurred, those whose Gaussian has another width at right angles, and
            a direction drawn from half a turn.
        blur: standard deviation of the Gaussian; of a stretched one both are drawn.
        area_share: reduced by the mean of the block of pixels.
        bilinear_share: reduced by the widened triangle; what is left of 1 is reduced by MATLAB's
            bicubic kernel.
        resize_share: enlarged or reduced, and brought back.
        resize: the factor of that resize. It rounds to whole pixels. Reduction is by the means of
            areas or by cubic interpolation, enlargement linear or cubic, each with one half.
        noise_share: with noise of a sensor.
        noise: its standard deviation at the grey level 128, grey levels; the logarithm is uniform.
            The share of the variance there that grows with the light is uniform from 0 to 1.
        mosaic_share: of the noisy, those whose noise has passed through demosaicing, which makes
            coloured spots of it; the others have noise that is independent everywhere.
        smoothing: standard deviation of a Gaussian over noise that was demosaiced.
        jpeg_share: encoded as JPEG and decoded.
        twice_share: of those, the ones that were encoded before, with draws of their own.
        quality: libjpeg's quality, whole numbers, both ends included.
        half_colour_share: of the files, those with 4:2:0; the others have 4:4:4. Where the blocks
            begin is drawn from all 8x8 places, in 4:2:0 from all 16x16.
    """

    clean_share: float = 0.15
    blur_share: float = 0.3
    stretched_share: float = 0.4
    blur: Range = (0.1, 0.6)
    area_share: float = 0.25
    bilinear_share: float = 0.25
    resize_share: float = 0.15
    resize: Range = (0.6, 1.4)
    noise_share: float = 0.35
    noise: Range = (1.0, 10.0)
    mosaic_share: float = 0.6
    smoothing: Range = (0.0, 0.6)
    jpeg_share: float = 0.85
    twice_share: float = 0.2
    quality: tuple[int, int] = (30, 98)
    half_colour_share: float = 0.7

    def __post_init__(self) -> None:
        """Checks all numbers.

        Raises:
            ValueError: names the first one that is out of range.
        """
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_share"):
                if not 0 <= value <= 1:
                    raise ValueError(f"{field.name} must be in [0, 1], got {value}")
            elif not _SMALLEST[field.name] <= value[0] <= value[1] <= _GREATEST[field.name]:
                limits = f"in [{_SMALLEST[field.name]}, {_GREATEST[field.name]}] and in order"
                raise ValueError(f"{field.name} must be {limits}, got {value}")
        if self.area_share + self.bilinear_share > 1:
            raise ValueError("area_share and bilinear_share must not be above 1 together")


# The context of a crop bounds how far a blur or a resize may reach.
_SMALLEST = {"blur": 0.01, "resize": 0.5, "noise": 0.01, "smoothing": 0.0, "quality": 1}
_GREATEST = {"blur": 1.0, "resize": 2.0, "noise": 50.0, "smoothing": 2.0, "quality": 100}


@dataclass(frozen=True)
class Blur:
    """A Gaussian: standard deviations in LR pixels, and the direction of the first, radians."""

    along: float
    across: float
    angle: float


@dataclass(frozen=True)
class Resize:
    """A resize to `factor` of the size and back, each cubic, or what is plainer."""

    factor: float
    cubic: bool
    cubic_back: bool


@dataclass(frozen=True)
class Noise:
    """Of a sensor, as `sensor_noise` takes it; `corner` None: not demosaiced."""

    shot: float
    read: float
    corner: tuple[int, int] | None
    smoothing: float


@dataclass(frozen=True)
class Jpeg:
    """One encoding, as `sr_data.degradations.jpeg` takes it."""

    quality: int
    half_colour: bool
    corner: tuple[int, int]


@dataclass(frozen=True)
class DrawnDegradation:
    """What happens to one crop, in this order; None or nothing: it does not."""

    blur: Blur | None = None
    kernel: Kernel = "bicubic"
    resize: Resize | None = None
    noise: Noise | None = None
    jpegs: tuple[Jpeg, ...] = ()


def draw_degradation(
    settings: PhotoDegradation, rng: np.random.Generator
) -> DrawnDegradation | None:
    """Draws what happens to a crop.

    The draws are the same in number and order whatever the settings: another value of one of them
    changes nothing else.

    Args:
        settings: the distributions.
        rng: 32 uniform numbers are taken.

    Returns:
        The degradation; None: the crop stays clean.
    """
    uniform = iter(rng.random(_DRAWS).tolist()).__next__
    clean = uniform() < settings.clean_share
    drawn = DrawnDegradation(
        blur=_draw_blur(settings, uniform),
        kernel=_draw_kernel(settings, uniform()),
        resize=_draw_resize(settings, uniform),
        noise=_draw_noise(settings, uniform),
        jpegs=_draw_jpegs(settings, uniform),
    )
    return None if clean else drawn


_Uniform = Callable[[], float]


def _draw_blur(settings: PhotoDegradation, uniform: _Uniform) -> Blur | None:
    blurred, stretched = uniform() < settings.blur_share, uniform() < settings.stretched_share
    along, across = _between(settings.blur, uniform()), _between(settings.blur, uniform())
    angle = pi * uniform()
    if not blurred:
        return None
    return Blur(along, across, angle) if stretched else Blur(along, along, 0.0)


def _draw_kernel(settings: PhotoDegradation, drawn: float) -> Kernel:
    if drawn < settings.area_share:
        return "area"
    return "bilinear" if drawn < settings.area_share + settings.bilinear_share else "bicubic"


def _draw_resize(settings: PhotoDegradation, uniform: _Uniform) -> Resize | None:
    resized, factor = uniform() < settings.resize_share, _between(settings.resize, uniform())
    drawn = Resize(factor, cubic=uniform() < 0.5, cubic_back=uniform() < 0.5)
    return drawn if resized else None


def _draw_noise(settings: PhotoDegradation, uniform: _Uniform) -> Noise | None:
    noisy, mosaic = uniform() < settings.noise_share, uniform() < settings.mosaic_share
    least, greatest = settings.noise
    variance = (least * (greatest / least) ** uniform()) ** 2
    share = uniform()
    smoothing = _between(settings.smoothing, uniform())
    corner = int(2 * uniform()), int(2 * uniform())
    if not noisy:
        return None
    shot, read = share * variance / 128, ((1 - share) * variance) ** 0.5
    return Noise(shot, read, corner, smoothing) if mosaic else Noise(shot, read, None, 0.0)


def _draw_jpegs(settings: PhotoDegradation, uniform: _Uniform) -> tuple[Jpeg, ...]:
    encoded, twice = uniform() < settings.jpeg_share, uniform() < settings.twice_share
    both = tuple(_draw_jpeg(settings, uniform) for _ in range(2))
    return both[: encoded * (1 + twice)]


def _draw_jpeg(settings: PhotoDegradation, uniform: _Uniform) -> Jpeg:
    least, greatest = settings.quality
    quality = least + int((greatest + 1 - least) * uniform())
    half_colour = uniform() < settings.half_colour_share
    blocks = 16 if half_colour else 8
    return Jpeg(quality, half_colour, (int(blocks * uniform()), int(blocks * uniform())))


def _between(limits: Range, drawn: float) -> float:
    return limits[0] + (limits[1] - limits[0]) * drawn
