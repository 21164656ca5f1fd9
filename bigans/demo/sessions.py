"""The photos of everybody who has the page open: each person's own, and gone when they leave."""

from __future__ import annotations

import collections
import secrets
import threading
from collections.abc import Iterator

from bigans.demo.kept_photo import KeptPhoto
from sr_program.errors import DataError

# Sessions that have ended.
_REMEMBERED = 1000

GONE = "this photo is no longer in memory; drop it again"


class Sessions:
    """Photos by session, and by a token that nobody can guess.

    Example:
        token = sessions.add("session", kept)
        sessions.photo(token)
        sessions.close("session")
    """

    def __init__(self, max_bytes: int) -> None:
        """Starts without photos.

        Args:
            max_bytes: What all photos may take of memory; the oldest are dropped for a new one. A
                single photo may take more.
        """
        self._max_bytes = max_bytes
        self._photos: collections.OrderedDict[str, tuple[str, KeptPhoto]] = (
            collections.OrderedDict()
        )
        self._closed: collections.deque[str] = collections.deque(maxlen=_REMEMBERED)
        self._lock = threading.Lock()

    def add(self, session: str, kept: KeptPhoto) -> str:
        """Keeps a photo.

        Returns:
            Its token.

        Raises:
            DataError: The person has left meanwhile.
        """
        token = secrets.token_urlsafe(24)
        with self._lock:
            if session in self._closed:
                raise DataError(GONE)
            self._photos[token] = session, kept
            while len(self._photos) > 1 and self._num_bytes() > self._max_bytes:
                self._photos.popitem(last=False)
        return token

    def photo(self, token: str, session: str | None = None) -> KeptPhoto:
        """A photo.

        Args:
            token: Its own.
            session: Whose it has to be, if that is known.

        Raises:
            DataError: There is none, any more.
        """
        with self._lock:
            found = self._photos.get(token)
            if found is None or session not in (None, found[0]):
                raise DataError(GONE)
            self._photos.move_to_end(token)
            return found[1]

    def of(self, session: str) -> dict[str, str]:
        """Names by token of a session's photos, in the order of their use."""
        with self._lock:
            return {
                token: kept.name
                for token, (owner, kept) in self._photos.items()
                if owner == session
            }

    def close(self, session: str) -> None:
        """Drops a session's photos, also those that are still being made."""
        with self._lock:
            self._closed.append(session)
            for token in [key for key, (owner, _) in self._photos.items() if owner == session]:
                del self._photos[token]

    def __len__(self) -> int:
        """Of all photos."""
        return len(self._photos)

    def __iter__(self) -> Iterator[str]:
        """The sessions that have photos."""
        with self._lock:
            return iter({owner for owner, _ in self._photos.values()})

    def _num_bytes(self) -> int:
        return sum(kept.num_bytes for _, kept in self._photos.values())
