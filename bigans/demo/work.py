"""What the page does when a person acts, without Gradio: photos in, numbers and files out."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from bigans.demo import files, words
from bigans.demo.choice import Choice
from bigans.demo.curve import Curve, curve_of
from bigans.demo.curve_drawing import curve_svg
from bigans.demo.kept_photo import KeptPhoto
from bigans.demo.scores import scores
from bigans.demo.sessions import Sessions
from bigans.demo.settings import PageSettings, Weights
from sr_images.niqe import NIQE_PARAMETERS
from sr_program.errors import DataError, UsageError, reason

# Is told the share that is done, and what is being done.
Progress = Callable[[float, str], None]

NO_NIQE = (
    f"NIQE is not shown: its parameters are missing. Start the page with {NIQE_PARAMETERS.flag}="
    "FILE (modelparameters.mat of the PIRM 2018 package)."
)
NO_ORIGINAL = "PSNR and SSIM need the original: add it, or reduce a photo by 4 first."


class Taken(NamedTuple):
    """What became of dropped files.

    Attributes:
        tokens: Of the photos that were enlarged, in their order.
        problems: A line for each file that was not.
        notes: What else there is to say.
    """

    tokens: list[str]
    problems: list[str]
    notes: list[str]


class Work:
    """The work behind the page, for all sessions."""

    def __init__(self, settings: PageSettings) -> None:
        """Starts without photos."""
        self.settings = settings
        self.sessions = Sessions(settings.max_bytes)
        self._sources: WeakKeyDictionary[KeptPhoto, dict[str, str]] = WeakKeyDictionary()
        self._weights: WeakKeyDictionary[KeptPhoto, str] = WeakKeyDictionary()
        self._curves: WeakKeyDictionary[KeptPhoto, tuple[bool, Curve]] = WeakKeyDictionary()
        self._generators = threading.Lock()

    def take(
        self,
        session: str,
        paths: Sequence[Path],
        progress: Progress,
        *,
        weights: str = "",
        reduce: bool = False,
    ) -> Taken:
        """Enlarges photos; what cannot be read is told, and the others are done.

        Args:
            session: Whose they are.
            paths: Their files; uploads among them are removed.
            progress: Is told how far it is.
            weights: Name of the weights; the first if empty.
            reduce: Whether the photos are reduced by 4 first.
        """
        chosen = self.weights(weights)
        tokens: list[str] = []
        problems: list[str] = []
        notes: list[str] = []
        for number, path in enumerate(paths):

            def share(
                done: float,
                number: int = number,
                name: str = path.name,
                doing: str = "both generators run",
            ) -> None:
                progress((number + done) / len(paths), f"{name}: {doing}")

            try:
                if not chosen.is_loaded:
                    share(0, doing=f"the weights {chosen.name!r} are loaded")
                taken = files.take(path, self.settings.max_pixels, reduce=reduce)
                with self._generators:  # one at a time: they take all cores
                    upscaler = chosen.upscaler
                    share(0)
                    kept = files.kept_of(taken, upscaler, share)
                self._sources[kept] = {**chosen.settings, "source": taken.source}
                self._weights[kept] = chosen.name
                tokens.append(self.sessions.add(session, kept))
            except (DataError, UsageError, ValueError) as error:
                problems.append(_named(error, path))
                continue
            except OSError as error:
                problems.append(f"{path.name}: {reason(error)}")
                continue
            finally:
                self.forget_upload(path)
            notes += [taken.note] if taken.note else []
        return Taken(tokens, problems, notes)

    def weights(self, name: str) -> Weights:
        """The weights of a name; the first for an empty one.

        Raises:
            UsageError: There are none of this name.
        """
        for one in self.settings.weights:
            if name in ("", one.name):
                return one
        names = ", ".join(one.name for one in self.settings.weights)
        raise UsageError(f"there are no weights {name!r}; use one of {names}")

    def labels(self, session: str) -> dict[str, str]:
        """Names of a session's photos by token, with the weights where there is a choice."""
        found = {token: self.sessions.photo(token) for token in self.sessions.of(session)}
        if len(self.settings.weights) == 1:
            return {token: kept.name for token, kept in found.items()}
        return {token: f"{kept.name} ({self._weights[kept]})" for token, kept in found.items()}

    def add_original(self, session: str, token: str, path: Path) -> None:
        """Adds what a photo was reduced from.

        Raises:
            DataError: It cannot be read, or does not fit the photo.
        """
        kept = self.sessions.photo(token, session)
        try:
            picture, _ = files.read(path, 16 * self.settings.max_pixels)
            kept.set_original(picture)
        finally:
            self.forget_upload(path)

    def told(self, token: str) -> dict[str, Any]:
        """What the picture of the page has to know of a photo."""
        kept = self.sessions.photo(token)
        height, width = kept.size
        return {
            "token": token,
            "name": kept.name,
            "width": width,
            "height": height,
            "hasOriginal": kept.original is not None,
            "heat": f"{kept.heat_scale:.0f}",
        }

    def measures(self, session: str, token: str, choice: Choice) -> Iterator[tuple[str, str]]:
        """The table of scores and the drawing of the curve; first the one, then both.

        Raises:
            DataError: The photo is gone.
        """
        kept, niqe = self.sessions.photo(token, session), self.settings.niqe
        notes = [NO_NIQE] if niqe is None else []
        notes += [NO_ORIGINAL] if kept.original is None else []
        table = words.score_table(kept, choice, scores(kept, choice, niqe), notes)
        yield table, ""
        curve = self._curve(kept)
        xi = choice.xi if choice.levels is None else kept.thresholds.xi_of(choice.levels)
        # A consistent result is somewhere else.
        yield table, curve_svg(curve, None if choice.consistent else xi)

    def write(self, session: str, token: str, choice: Choice, format_name: str) -> Path:
        """Writes a result for the download.

        Raises:
            DataError: The photo is gone.
            UsageError: The format cannot hold the result.
            OSError: It cannot be written.
        """
        kept = self.sessions.photo(token, session)
        folder = self._folder(session)
        folder.mkdir(parents=True, exist_ok=True)
        own = Path(tempfile.mkdtemp(dir=folder))
        return files.write(kept, choice, format_name, own, self._sources[kept])

    def enlarge(self, path: Path, choice: Choice, format_name: str, weights: str = "") -> Path:
        """A photo in, a file out: what programs ask for. Nothing is kept of it but the file.

        Args:
            path: Its file.
            choice: How the result is merged.
            format_name: One of `files.FORMATS`.
            weights: Name of the weights; the first if empty.

        Raises:
            DataError: It cannot be read, or is larger than the page takes.
            UsageError: The format or the weights are unknown.
            OSError: The result cannot be written.
        """
        if format_name not in files.FORMATS:
            raise UsageError(f"format is {format_name!r}; use one of {', '.join(files.FORMATS)}")
        chosen = self.weights(weights)
        taken = files.take(path, self.settings.max_pixels)
        with self._generators:
            kept = files.kept_of(taken, chosen.upscaler, lambda done: None)
        self.settings.folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self.settings.folder))
        settings = {**chosen.settings, "source": taken.source}
        return files.write(kept, choice, format_name, folder, settings)

    def close(self, session: str) -> None:
        """Drops the photos and the files of somebody who has left."""
        self.sessions.close(session)
        shutil.rmtree(self._folder(session), ignore_errors=True)

    def forget_upload(self, path: Path) -> None:
        """Removes a file, if it is one that was uploaded."""
        if path.is_relative_to(self.settings.folder):
            path.unlink(missing_ok=True)

    def _curve(self, kept: KeptPhoto) -> Curve:
        with_original = kept.original is not None
        found = self._curves.get(kept)
        if found is None or found[0] != with_original:
            found = with_original, curve_of(kept, self.settings.niqe)
            self._curves[kept] = found
        return found[1]

    def _folder(self, session: str) -> Path:
        # A session's name comes from the browser.
        name = hashlib.sha256(session.encode()).hexdigest()[:24]
        return self.settings.folder / f"session_{name}"


def _named(error: Exception, path: Path) -> str:
    text = str(error)
    return text if text.startswith(path.name) else f"{path.name}: {text}"
