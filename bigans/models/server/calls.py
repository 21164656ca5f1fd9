"""The calls to a server: a request of named arrays in, named arrays out, within a deadline.

Two ways lead to one server: gRPC (host:8500, small and fast) and REST (http://host:8501, JSON,
about five times as many bytes). What a server cannot do just now (UNAVAILABLE, RESOURCE_EXHAUSTED;
503, 429) is tried again, with growing and random pauses, until the deadline.
"""

from __future__ import annotations

import abc
import base64
import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sr_program.errors import DataError, UsageError, reason

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
        if not self.is_rest and not (colon and port.isdecimal()):
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
        with connect(Server("localhost:8500")) as calls:
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
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=_LONGEST_PAUSE),
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


def connect(server: Server) -> Calls:
    """Opens a connection by gRPC or REST, as the address says.

    Raises:
        UsageError: A package of the extra `serving` is missing.
    """
    from sr_program.machine.optional_packages import require_extra

    require_extra("serving")
    if server.is_rest:
        return _Rest(server)
    from bigans.models.server.grpc_calls import GrpcCalls

    return GrpcCalls(server)


class _Rest(Calls):
    """By REST: JSON in columns, bytes as base64."""

    def __init__(self, server: Server) -> None:
        import urllib3

        super().__init__(server)
        trusted = server.root_certificates
        extra: dict[str, Any] = {} if trusted is None else {"ca_certs": str(trusted)}
        self._pool = urllib3.PoolManager(retries=False, **extra)

    def close(self) -> None:
        self._pool.clear()

    @property
    def _url(self) -> str:
        server = self.server
        url = f"{server.address.rstrip('/')}/v1/models/{server.name}"
        if server.version is not None:
            return f"{url}/versions/{server.version}"
        return url if server.label is None else f"{url}/labels/{server.label}"

    def _predict(self, signature: str, inputs: Arrays, seconds: float) -> dict[str, NDArray[Any]]:
        body = {
            "signature_name": signature,
            "inputs": {name: _to_json(value) for name, value in inputs.items()},
        }
        outputs = self._ask("POST", f"{self._url}:predict", seconds, body).get("outputs")
        # One output alone stands without its name.
        found = outputs if isinstance(outputs, dict) and "b64" not in outputs else {"": outputs}
        return {name: _from_json(value) for name, value in found.items()}

    def _is_ready(self, seconds: float) -> bool:
        versions = self._ask("GET", self._url, seconds).get("model_version_status", [])
        return any(one.get("state") == "AVAILABLE" for one in versions)

    def _ask(self, method: str, url: str, seconds: float, body: Any = None) -> dict[str, Any]:
        import urllib3

        try:
            answer = self._pool.request(
                method,
                url,
                body=None if body is None else json.dumps(body),
                timeout=urllib3.Timeout(total=seconds),
            )
        except urllib3.exceptions.TimeoutError as error:
            raise self.failed(f"no answer within {self.server.deadline:g} s") from error
        except urllib3.exceptions.SSLError as error:
            raise self.failed(f"no encrypted connection ({reason(error)})") from error
        except urllib3.exceptions.HTTPError as error:
            raise BusyError(f"cannot be reached ({reason(error)})") from error
        if answer.status in (429, 503):
            raise BusyError(f"is busy (status {answer.status})")
        try:
            found = json.loads(answer.data)
            words = found.get("error", found.get("error_message"))
        except (ValueError, AttributeError) as error:
            raise self.failed(f"its answer is no JSON (status {answer.status})") from error
        if answer.status != 200 or words:
            raise self.failed(words or f"status {answer.status}")
        return found


def _to_json(array: NDArray[Any]) -> Any:
    if array.dtype == object:
        return [{"b64": base64.b64encode(one).decode("ascii")} for one in array.reshape(-1)]
    return array.tolist()


def _from_json(value: Any) -> NDArray[Any]:
    first = value
    while isinstance(first, list) and first:
        first = first[0]
    if isinstance(first, dict):
        items = value if isinstance(value, list) else [value]
        found = np.empty(len(items), object)
        found[:] = [base64.b64decode(one["b64"]) for one in items]
        return found
    array = np.array(value)
    return array.astype(np.float32) if array.dtype == np.float64 else array
