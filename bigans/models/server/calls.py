"""The calls to a server: a request of named arrays in, named arrays out, within a deadline.

Two ways lead to one server: gRPC (host:8500, small and fast) and REST (http://host:8501, JSON,
about five times as many bytes). What a server cannot do just now (UNAVAILABLE, RESOURCE_EXHAUSTED;
503, 429) is tried again, with growing and random pauses, until the deadline.
"""

from __future__ import annotations

import abc
import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray

from sr_program.errors import DataError, UsageError

Result = TypeVar("Result")
Arrays = Mapping[str, NDArray[Any]]

DEFAULT_NAME = "bi_gans_st"
_ATTEMPTS = 6
_LONGEST_PAUSE = 8.0  # seconds
_MOST_WORDS = 400


class ServerError(DataError):
    """A server refused a request, or could not be reached in time."""


class BusyError(Exception):
    """A server cannot answer just now; the request may be sent again."""


@dataclasses.dataclass(frozen=True)
class Server:
    """Where a model is served, and how it is asked.

    Attributes:
        address: HOST:PORT for gRPC, http://HOST:PORT or https://HOST:PORT for REST.
        name: Of the model on the server.
        version: Its number; None: the latest.
        label: Of a version, as "stable" or "canary", instead of a number; by gRPC and REST.
        deadline: Seconds for a request with all its attempts.
        root_certificates: A PEM file with what signs the server's certificate: gRPC is encrypted
            then, and REST trusts it too.
        max_message_mb: Of an answer, 10⁶ bytes.
    """

    address: str
    name: str = DEFAULT_NAME
    version: int | None = None
    label: str | None = None
    deadline: float = 60.0
    root_certificates: Path | None = None
    max_message_mb: float = 2000.0

    def __post_init__(self) -> None:
        """Rejects what is no address."""
        host = self.address.split("://")[-1]
        _, colon, port = host.rstrip("/").rpartition(":")
        # gRPC takes the rest of a larger number by 65536, which is another port.
        is_port = port.isdecimal() and 0 < int(port) < 2**16
        if not self.is_rest and not (colon and is_port):
            raise UsageError(
                f"server={self.address}: write HOST:PORT (gRPC, port 8500 mostly) or "
                "http://HOST:PORT (REST, port 8501 mostly)"
            )
        if self.version is not None and self.label is not None:
            raise UsageError("name a version or a label, not both")
        if not self.deadline > 0:
            raise UsageError(f"deadline={self.deadline:g}; choose seconds above 0")
        if not 0 < self.max_message_mb <= 2000:
            raise UsageError(f"max_message_mb={self.max_message_mb:g}; choose up to 2000")
        if self.root_certificates is not None and not self.root_certificates.is_file():
            raise DataError(f"{self.root_certificates}: no such file of certificates")

    @property
    def is_rest(self) -> bool:
        """Whether it is asked by REST."""
        return self.address.startswith(("http://", "https://"))


class Calls(abc.ABC):
    """An open connection.

    Example:
        with connect(Server("localhost:8500")) as calls:  # of `connection`
            sr = calls.predict("serving_default", {"image": image})["sr"]
    """

    def __init__(self, server: Server) -> None:
        """Connects at the first request."""
        self.server = server

    def __enter__(self) -> Calls:
        """The connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self.close()

    @abc.abstractmethod
    def close(self) -> None:
        """Ends the connection."""

    def predict(self, signature: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """A request.

        Args:
            signature: Of the model, see `bigans.serving.serving_model`.
            inputs: Its inputs; encoded pictures as object arrays of bytes. By REST all of them,
                since a server fills defaults in gRPC only.

        Returns:
            Its outputs.

        Raises:
            ServerError: It was refused, or not answered before the deadline.
        """
        return self._until_deadline(lambda seconds: self._predict(signature, inputs, seconds))

    def is_ready(self) -> bool:
        """Whether the version is loaded and warm.

        Raises:
            ServerError: The server does not answer, or does not know the model.
        """
        return self._until_deadline(self._is_ready)

    @abc.abstractmethod
    def _predict(self, signature: str, inputs: Arrays, seconds: float) -> dict[str, NDArray[Any]]:
        """One attempt; BusyError: again, please."""

    @abc.abstractmethod
    def _is_ready(self, seconds: float) -> bool:
        """Likewise."""

    def _until_deadline(self, attempt: Callable[[float], Result]) -> Result:
        import tenacity

        end = time.monotonic() + self.server.deadline
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(BusyError),
            # Half of a pause is random: many clients do not come back at once, and the attempts
            # do not all fall into one short outage.
            wait=tenacity.wait_exponential(multiplier=0.1, max=_LONGEST_PAUSE / 2)
            + tenacity.wait_random_exponential(multiplier=0.1, max=_LONGEST_PAUSE / 2),
            stop=tenacity.stop_after_attempt(_ATTEMPTS)
            | tenacity.stop_before_delay(self.server.deadline),
            reraise=True,
        )
        try:
            return retrying(lambda: attempt(max(end - time.monotonic(), 1e-3)))
        except BusyError as error:
            raise self.failed(error) from error

    def failed(self, why: object) -> ServerError:
        """What to raise."""
        words = " ".join(str(why).split())[:_MOST_WORDS] or type(why).__name__
        return ServerError(f"{self.server.address}: {words}")
