"""A stand-in for TensorFlow Serving: its protocols over the loader that it uses.

gRPC's PredictionService and ModelService, and REST as its documentation has it: inputs in columns,
`{"b64": …}`, no defaults, outputs whose names end in `_bytes` as base64, and statuses by gRPC's
codes. For tests of clients, and for loads on a machine without the server's binary.
"""

from __future__ import annotations

import base64
import http.server
import json
import ssl
import threading
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks.serving.bare_session import BareSession, ServingError
from benchmarks.serving.batching import Batching
from bigans.models.server import messages
from bigans.models.server.tensors import DTYPES, STRING, to_array, to_message
from sr_program.contract import SERVING

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_STATUS = {3: 400, 5: 404, 8: 429, 9: 412, 14: 503}

# What happens before a request is answered: nothing, a delay, or an error.
Fault = Callable[[], None]


class StandInServer:
    """A server of one model, as a context manager.

    Example:
        with StandInServer({1: BareSession(path)}) as server:
            calls = connect(Server(server.grpc_address))

    Attributes:
        versions: What is served, by number; may be changed while it runs.
        fault: Called before every request; raises ServingError, or waits.
        requests: How many came.
    """

    def __init__(
        self,
        versions: dict[int, BareSession],
        name: str = "bi_gans_st",
        certificate: tuple[Path, Path] | None = None,
        batching: Batching | None = None,
    ) -> None:
        """Takes loaded versions.

        Args:
            versions: See above.
            name: Of the model.
            certificate: PEM files of a key and its certificate: both ways are encrypted then.
            batching: Merges requests; None: each is run by itself.
        """
        self.versions = versions
        self.labels: dict[str, int] = {}
        self.fault: Fault = lambda: None
        self.requests = 0
        self.truncate = False
        self._name = name
        self._batching = batching
        self._grpc = grpc.server(
            futures.ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", 2**31 - 1)]
        )
        self._grpc.add_generic_rpc_handlers((_Handlers(self),))
        self.grpc_address = f"127.0.0.1:{self._grpc_port(certificate)}"
        handler = type("Handler", (_RestHandler,), {"stand_in": self})
        self._rest = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        scheme = "http"
        if certificate is not None:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate[1], certificate[0])
            self._rest.socket = context.wrap_socket(self._rest.socket, server_side=True)
        self.rest_address = f"{scheme}://127.0.0.1:{self._rest.server_address[1]}"

    def _grpc_port(self, certificate: tuple[Path, Path] | None) -> int:
        if certificate is None:
            return self._grpc.add_insecure_port("127.0.0.1:0")
        key, chain = (path.read_bytes() for path in certificate)
        return self._grpc.add_secure_port(
            "127.0.0.1:0", grpc.ssl_server_credentials([(key, chain)])
        )

    def __enter__(self) -> StandInServer:
        """Starts."""
        self._grpc.start()
        threading.Thread(target=self._rest.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops."""
        self._grpc.stop(0)
        self._rest.shutdown()
        self._rest.server_close()

    def session(self, name: str, version: int | None, label: str = "") -> BareSession:
        """The version that is asked for."""
        if label:
            version = self.labels.get(label, 0)
        number = max(self.versions, default=0) if version is None else version
        if name != self._name or number not in self.versions:
            raise ServingError(5, f"Servable not found for request: {name}, version {number}")
        return self.versions[number]

    def answer(self, session: BareSession, signature: str, inputs: dict[str, Any]) -> Any:
        """A request."""
        self.requests += 1
        self.fault()
        if self._batching is not None:
            return self._batching.run(session, signature, inputs)
        return session.run(signature, **inputs)


def delay(seconds: float) -> Fault:
    """A fault: every answer is late."""
    return lambda: time.sleep(seconds)


def first(count: int, code: int) -> Fault:
    """A fault: the first requests fail with a code."""
    left = [code] * count

    def fault() -> None:
        if left:
            raise ServingError(left.pop(), "injected")

    return fault


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, server: StandInServer) -> None:
        self._server = server

    def service(self, handler_call_details: Any) -> Any:
        found = {
            messages.PREDICT: (self._predict, messages.PredictRequest),
            messages.GET_MODEL_STATUS: (self._status, messages.GetModelStatusRequest),
        }.get(handler_call_details.method)
        if found is None:
            return None
        function, request = found
        return grpc.unary_unary_rpc_method_handler(
            self._guarded(function), request_deserializer=request.FromString
        )

    def _guarded(self, function: Callable[[Any], bytes]) -> Any:
        def run(request: Any, context: Any) -> bytes:
            try:
                return function(request)
            except ServingError as error:
                context.abort(_CODES[error.code], error.words)
                raise

        return run

    def _predict(self, request: Any) -> bytes:
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        session = self._server.session(spec.name, version, spec.version_label)
        inputs = {name: to_array(tensor) for name, tensor in request.inputs.items()}
        answer = messages.PredictResponse()
        signature = spec.signature_name or SERVING
        for name, value in self._server.answer(session, signature, inputs).items():
            answer.outputs[name].CopyFrom(to_message(value))
        content = answer.SerializeToString()
        return content[: len(content) // 2] if self._server.truncate else content

    def _status(self, request: Any) -> bytes:
        spec = request.model_spec
        self._server.session(spec.name, None)
        answer = messages.GetModelStatusResponse()
        for number in self._server.versions:
            answer.model_version_status.add(version=number, state=messages.AVAILABLE)
        return answer.SerializeToString()


class _RestHandler(http.server.BaseHTTPRequestHandler):
    stand_in: StandInServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._guarded(self._status)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._guarded(lambda: self._predict(body))

    def _status(self) -> dict[str, Any]:
        self._session()
        states = [
            {"version": str(number), "state": "AVAILABLE", "status": {"error_code": "OK"}}
            for number in self.stand_in.versions
        ]
        return {"model_version_status": states}

    def _predict(self, body: bytes) -> dict[str, Any]:
        request = json.loads(body)
        session = self._session()
        name = request.get("signature_name", SERVING)
        signature = session.signatures.get(name)
        if signature is None:
            raise ServingError(3, f"Serving signature name: {name!r} not found")
        missing = signature.inputs.keys() - request["inputs"].keys()
        if missing:
            raise ServingError(3, f"Missing input for {sorted(missing)}")
        inputs = {
            key: _array(value, signature.inputs[key].dtype)
            for key, value in request["inputs"].items()
        }
        outputs = self.stand_in.answer(session, name, inputs)
        columns = {key: _json(key, value) for key, value in outputs.items()}
        return {"outputs": columns if len(columns) > 1 else next(iter(columns.values()))}

    def _session(self) -> BareSession:
        parts = self.path.partition(":")[0].strip("/").split("/")
        version = int(parts[4]) if parts[3:4] == ["versions"] else None
        label = parts[4] if parts[3:4] == ["labels"] else ""
        return self.stand_in.session(parts[2], version, label)

    def _guarded(self, function: Callable[[], dict[str, Any]]) -> None:
        try:
            status, found = 200, function()
        except ServingError as error:
            status, found = _STATUS.get(error.code, 500), {"error": error.words}
        content = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.stand_in.truncate else content)
        if self.stand_in.truncate:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


def _array(value: Any, dtype: int) -> Any:
    if dtype != STRING:
        return np.array(value, DTYPES[dtype])
    found = np.empty(len(value), object)
    found[:] = [base64.b64decode(one["b64"]) for one in value]
    return found


def _json(name: str, value: Any) -> Any:
    if value.dtype != object:
        return value.tolist()
    texts = value.reshape(-1).tolist()
    if name.endswith("_bytes"):
        found = [{"b64": base64.b64encode(one).decode("ascii")} for one in texts]
    else:
        found = [one.decode() for one in texts]
    return found if value.ndim else found[0]
