"""The messages of TensorFlow Serving that are used here, on the wire as the server's own.

The package tensorflow-serving-api has them all, and importing it imports TensorFlow: seconds and
650 MB for a client that computes nothing. Names and numbers of the fields are the server's (its
`predict.proto`, `model.proto`, `get_model_status.proto`, `prediction_log.proto`, and TensorFlow's
`tensor.proto`); a test compares them with that package's.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

_FIELD = descriptor_pb2.FieldDescriptorProto
_SERVING, _TENSORFLOW = "tensorflow.serving", "tensorflow"
_SCALARS = {
    "bool": _FIELD.TYPE_BOOL,
    "bytes": _FIELD.TYPE_BYTES,
    "double": _FIELD.TYPE_DOUBLE,
    "float": _FIELD.TYPE_FLOAT,
    "int32": _FIELD.TYPE_INT32,
    "int64": _FIELD.TYPE_INT64,
    "string": _FIELD.TYPE_STRING,
}

# Message → (field, number, type); "*" is repeated, "map" is from a text to a message. Enumerations
# are int32 on the wire.
_Fields = tuple[tuple[str, int, str], ...]
_TENSOR_MESSAGES: dict[str, _Fields] = {
    "Dim": (("size", 1, "int64"), ("name", 2, "string")),
    "TensorShapeProto": (("dim", 2, "*.tensorflow.Dim"), ("unknown_rank", 3, "bool")),
    "TensorProto": (
        ("dtype", 1, "int32"),
        ("tensor_shape", 2, ".tensorflow.TensorShapeProto"),
        ("tensor_content", 4, "bytes"),
        ("float_val", 5, "*float"),
        ("double_val", 6, "*double"),
        ("int_val", 7, "*int32"),
        ("string_val", 8, "*bytes"),
        ("int64_val", 10, "*int64"),
    ),
    # Of a SavedModel's graph: what its signatures take and give.
    "TensorInfo": (
        ("name", 1, "string"),
        ("dtype", 2, "int32"),
        ("tensor_shape", 3, ".tensorflow.TensorShapeProto"),
    ),
    "SignatureDef": (
        ("inputs", 1, "map.tensorflow.TensorInfo"),
        ("outputs", 2, "map.tensorflow.TensorInfo"),
        ("method_name", 3, "string"),
        ("defaults", 4, "map.tensorflow.TensorProto"),
    ),
    "MetaGraphDef": (("signature_def", 5, "map.tensorflow.SignatureDef"),),
}
_SERVING_MESSAGES: dict[str, _Fields] = {
    "ModelSpec": (
        ("name", 1, "string"),
        ("version", 2, ".google.protobuf.Int64Value"),
        ("signature_name", 3, "string"),
        ("version_label", 4, "string"),
    ),
    "PredictRequest": (
        ("model_spec", 1, ".tensorflow.serving.ModelSpec"),
        ("inputs", 2, "map.tensorflow.TensorProto"),
        ("output_filter", 3, "*string"),
    ),
    "PredictResponse": (
        ("outputs", 1, "map.tensorflow.TensorProto"),
        ("model_spec", 2, ".tensorflow.serving.ModelSpec"),
    ),
    "GetModelStatusRequest": (("model_spec", 1, ".tensorflow.serving.ModelSpec"),),
    "StatusProto": (("error_code", 1, "int32"), ("error_message", 2, "string")),
    "ModelVersionStatus": (
        ("version", 1, "int64"),
        ("state", 2, "int32"),
        ("status", 3, ".tensorflow.serving.StatusProto"),
    ),
    "GetModelStatusResponse": (
        ("model_version_status", 1, "*.tensorflow.serving.ModelVersionStatus"),
    ),
    "PredictLog": (
        ("request", 1, ".tensorflow.serving.PredictRequest"),
        ("response", 2, ".tensorflow.serving.PredictResponse"),
    ),
    "PredictionLog": (("predict_log", 6, ".tensorflow.serving.PredictLog"),),
}


def _field(name: str, number: int, kind: str, message: str) -> Any:
    is_map = kind.startswith("map.")
    repeated = kind.startswith("*") or is_map
    label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
    field = _FIELD(name=name, number=number, label=label)
    kind = kind.removeprefix("*")
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = _FIELD.TYPE_MESSAGE
        field.type_name = f"{message}.{_entry(name)}" if is_map else kind
    return field


def _entry(name: str) -> str:
    return f"{name.title().replace('_', '')}Entry"


def _file(name: str, package: str, messages: dict[str, _Fields], *imports: str) -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name=name, package=package, syntax="proto3", dependency=imports
    )
    for message, fields in messages.items():
        found = file.message_type.add(name=message)
        for field, number, kind in fields:
            found.field.append(_field(field, number, kind, f".{package}.{message}"))
            if kind.startswith("map."):
                entry = found.nested_type.add(name=_entry(field))
                entry.options.map_entry = True
                entry.field.append(_field("key", 1, "string", ""))
                entry.field.append(_field("value", 2, kind.removeprefix("map"), ""))
    return file


def _build() -> dict[str, Any]:
    pool = descriptor_pool.DescriptorPool()  # its own: TensorFlow's has the same names
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(_file("bigans_tensor.proto", _TENSORFLOW, _TENSOR_MESSAGES))
    imports = wrappers.name, "bigans_tensor.proto"
    pool.Add(_file("bigans_serving.proto", _SERVING, _SERVING_MESSAGES, *imports))
    names = [f"{_TENSORFLOW}.{name}" for name in _TENSOR_MESSAGES]
    names += [f"{_SERVING}.{name}" for name in _SERVING_MESSAGES]
    found = (pool.FindMessageTypeByName(name) for name in names)
    return {one.name: message_factory.GetMessageClass(one) for one in found}


_CLASSES = _build()

TensorProto: Any = _CLASSES["TensorProto"]
MetaGraphDef: Any = _CLASSES["MetaGraphDef"]
PredictRequest: Any = _CLASSES["PredictRequest"]
PredictResponse: Any = _CLASSES["PredictResponse"]
GetModelStatusRequest: Any = _CLASSES["GetModelStatusRequest"]
GetModelStatusResponse: Any = _CLASSES["GetModelStatusResponse"]
PredictionLog: Any = _CLASSES["PredictionLog"]

PREDICT = "/tensorflow.serving.PredictionService/Predict"
GET_MODEL_STATUS = "/tensorflow.serving.ModelService/GetModelStatus"

# ModelVersionStatus.State.
AVAILABLE = 30
