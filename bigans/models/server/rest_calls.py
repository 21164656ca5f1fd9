"""The calls by REST."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import urllib3
from numpy.typing import NDArray

from bigans.models.server.calls import Arrays, BusyError, Calls, Server
from sr_program.errors import reason


class RestCalls(Calls):
    """By REST: JSON in columns, bytes as base64."""

    def __init__(self, server: Server) -> None:
        """Connects at the first request."""
        super().__init__(server)
        trusted = server.root_certificates
        extra: dict[str, Any] = {} if trusted is None else {"ca_certs": str(trusted)}
        self._pool = urllib3.PoolManager(retries=False, **extra)

    def close(self) -> None:
        """Ends the connection."""
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
