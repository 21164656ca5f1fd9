"""The calls by gRPC."""

from __future__ import annotations

from typing import Any

import grpc
from numpy.typing import NDArray

from bigans.models.server import messages
from bigans.models.server.calls import Arrays, BusyError, Calls, Server
from bigans.models.server.tensors import to_array, to_message

_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
# A channel connects again after pauses of its own, and fails every attempt meanwhile. By itself it
# waits 1 s and then longer, so that all our attempts could fall into its pauses.
_RECONNECTS_AFTER = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


class GrpcCalls(Calls):
    """By gRPC: TensorFlow Serving's PredictionService and ModelService."""

    def __init__(self, server: Server) -> None:
        """Connects at the first request."""
        super().__init__(server)
        # An answer to 300x300 pixels is larger than the 4 MB that a client takes by itself.
        most = int(server.max_message_mb * 1e6)
        options = [
            ("grpc.max_receive_message_length", most),
            ("grpc.max_send_message_length", most),
            ("grpc.enable_retries", 0),
            *_RECONNECTS_AFTER,
        ]
        if server.root_certificates is None:
            self._channel = grpc.insecure_channel(server.address, options)
        else:
            trusted = grpc.ssl_channel_credentials(server.root_certificates.read_bytes())
            self._channel = grpc.secure_channel(server.address, trusted, options)
        self._predict_call = self._method(messages.PREDICT, messages.PredictResponse)
        self._status_call = self._method(messages.GET_MODEL_STATUS, messages.GetModelStatusResponse)

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def _method(self, path: str, answer: Any) -> Any:
        return self._channel.unary_unary(
            path,
            request_serializer=_serialized,
            response_deserializer=answer.FromString,
        )

    def _predict(self, signature: str, inputs: Arrays, seconds: float) -> dict[str, NDArray[Any]]:
        request = messages.PredictRequest()
        self._name(request.model_spec)
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(to_message(value))
        answer = self._call(self._predict_call, request, seconds)
        return {name: to_array(tensor) for name, tensor in answer.outputs.items()}

    def _is_ready(self, seconds: float) -> bool:
        request = messages.GetModelStatusRequest()
        self._name(request.model_spec)
        answer = self._call(self._status_call, request, seconds)
        return any(one.state == messages.AVAILABLE for one in answer.model_version_status)

    def _name(self, spec: Any) -> None:
        spec.name = self.server.name
        if self.server.version is not None:
            spec.version.value = self.server.version
        if self.server.label is not None:
            spec.version_label = self.server.label

    def _call(self, method: Any, request: Any, seconds: float) -> Any:
        try:
            return method(request, timeout=seconds)
        except grpc.RpcError as error:
            code, words = error.code(), error.details() or ""  # pyright: ignore[reportAttributeAccessIssue]
            if "larger than max" in words:  # this side's own limit, whose code is "exhausted"
                raise self.failed(f"{words}; raise max_message_mb") from error
            if code in _AGAIN:
                raise BusyError(f"is busy or cannot be reached ({words})") from error
            if code == grpc.StatusCode.DEADLINE_EXCEEDED:
                raise self.failed(f"no answer within {self.server.deadline:g} s") from error
            raise self.failed(words or code.name) from error


def _serialized(message: Any) -> bytes:
    return message.SerializeToString()
