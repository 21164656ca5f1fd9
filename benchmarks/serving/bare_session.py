"""A SavedModel in a bare Session, loaded as TensorFlow Serving loads it: by the C++ loader.

Python's own Session checks shapes before it runs, and hides what a server would die of. Hence the
C API, by ctypes: `TF_LoadSessionFromSavedModel`, and no line of TensorFlow's Python.
"""

from __future__ import annotations

import ctypes
import importlib.util
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigans.models.server.messages import MetaGraphDef
from bigans.models.server.tensors import DTYPES, NUMBERS, STRING, to_array

_STRING_SIZE = 24  # bytes of a TF_TString
_POINTER, _LONG = ctypes.c_void_p, ctypes.c_int64


class ServingError(Exception):
    """What a server answers instead of a result.

    Attributes:
        code: TensorFlow's, which are gRPC's: 3 is INVALID_ARGUMENT.
        words: What it says.
    """

    def __init__(self, code: int, words: str) -> None:
        """Takes a status."""
        super().__init__(f"{code}: {words}")
        self.code = code
        self.words = words


class _Output(ctypes.Structure):
    _fields_ = (("operation", _POINTER), ("index", ctypes.c_int))


class _Buffer(ctypes.Structure):
    _fields_ = (("data", _POINTER), ("length", ctypes.c_size_t), ("free", _POINTER))


class _Library:
    """libtensorflow; never unloaded."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("tensorflow")
        assert spec is not None and spec.origin is not None, "TensorFlow is not installed"
        folder = Path(spec.origin).parent
        # RTLD_LOCAL: with RTLD_GLOBAL a later `import numpy.random` crashes.
        names = ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2")
        self._libraries = [ctypes.CDLL(str(folder / name)) for name in names]

    def __getattr__(self, name: str) -> Any:
        for library in reversed(self._libraries):
            function = getattr(library, name, None)
            if function is not None:
                return function
        raise AttributeError(name)


_library: Any = None
_lock = threading.Lock()


def library() -> Any:
    """The library, with the types of what is called."""
    global _library
    with _lock:
        if _library is None:
            found = _Library()
            for name, result in _RESULTS.items():
                getattr(found, name).restype = result
            _library = found
    return _library


_RESULTS: dict[str, Any] = {
    "TF_NewStatus": _POINTER,
    "TF_NewGraph": _POINTER,
    "TF_NewBuffer": ctypes.POINTER(_Buffer),
    "TF_NewSessionOptions": _POINTER,
    "TF_Message": ctypes.c_char_p,
    "TF_GetCode": ctypes.c_int,
    "TF_LoadSessionFromSavedModel": _POINTER,
    "TF_GraphOperationByName": _POINTER,
    "TF_AllocateTensor": _POINTER,
    "TF_TensorData": _POINTER,
    "TF_TensorType": ctypes.c_int,
    "TF_NumDims": ctypes.c_int,
    "TF_Dim": _LONG,
    "TF_TensorByteSize": ctypes.c_size_t,
    "TF_StringGetDataPointer": _POINTER,
    "TF_StringGetSize": ctypes.c_size_t,
}


class _Status:
    def __init__(self) -> None:
        self.handle = _POINTER(library().TF_NewStatus())

    def __enter__(self) -> Any:
        return self.handle

    def __exit__(self, *_: object) -> None:
        code = library().TF_GetCode(self.handle)
        words = library().TF_Message(self.handle).decode(errors="replace")
        library().TF_DeleteStatus(self.handle)
        if code:
            raise ServingError(code, words)


class BareSession:
    """A loaded version of a model.

    Example:
        session = BareSession(Path("models/bi_gans_st/1"))
        sr = session.run(SERVING, image=image)["sr"]

    Attributes:
        signatures: SignatureDef by name.
    """

    def __init__(self, directory: Path, config: bytes = b"") -> None:
        """Loads a version.

        Args:
            directory: Holds saved_model.pb.
            config: A ConfigProto, serialised.

        Raises:
            ServingError: It cannot be loaded.
        """
        lib = library()
        self._graph = _POINTER(lib.TF_NewGraph())
        options = _POINTER(lib.TF_NewSessionOptions())
        buffer = lib.TF_NewBuffer()
        tags = (ctypes.c_char_p * 1)(b"serve")
        with _Status() as status:
            if config:
                lib.TF_SetConfig(options, config, ctypes.c_size_t(len(config)), status)
        with _Status() as status:
            self._session = _POINTER(
                lib.TF_LoadSessionFromSavedModel(
                    options, None, str(directory).encode(), tags, 1, self._graph, buffer, status
                )
            )
        content = ctypes.string_at(buffer.contents.data, buffer.contents.length)
        lib.TF_DeleteBuffer(buffer)
        lib.TF_DeleteSessionOptions(options)
        self.signatures = _signatures(content)

    def close(self) -> None:
        """Gives everything back."""
        with _Status() as status:
            library().TF_CloseSession(self._session, status)
        with _Status() as status:
            library().TF_DeleteSession(self._session, status)
        library().TF_DeleteGraph(self._graph)

    def run(self, signature: str, **inputs: Any) -> dict[str, NDArray[Any]]:
        """A request, as gRPC's Predict runs it: inputs left out are filled by their defaults.

        Args:
            signature: Its name.
            **inputs: Arrays by name; bytes as object arrays.

        Raises:
            ServingError: What the server would answer.
        """
        given = self.filled(signature, inputs)
        found = self.signatures[signature]
        names = list(found.outputs)
        places = [found.outputs[name].name for name in names]
        feeds = {found.inputs[key].name: value for key, value in given.items()}
        return dict(zip(names, self._run(feeds, places), strict=True))

    def filled(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of a request, with the defaults of those that were left out.

        Raises:
            ServingError: There is no such signature, or inputs are missing or unknown.
        """
        found = self.signatures.get(signature)
        if found is None:
            raise ServingError(3, f"no signature {signature!r}")
        unknown = inputs.keys() - found.inputs.keys()
        given = {**{key: to_array(value) for key, value in found.defaults.items()}, **inputs}
        missing = found.inputs.keys() - given.keys()
        if unknown or missing:
            raise ServingError(3, f"input size does not match signature: {unknown or missing}")
        return given

    def _run(self, feeds: Mapping[str, Any], fetches: Sequence[str]) -> list[NDArray[Any]]:
        lib = library()
        inputs = (_Output * len(feeds))(*map(self._output, feeds))
        outputs = (_Output * len(fetches))(*map(self._output, fetches))
        tensors = [_to_tensor(value) for value in feeds.values()]
        values = (_POINTER * len(feeds))(*tensors)
        results = (_POINTER * len(fetches))()
        try:
            with _Status() as status:
                lib.TF_SessionRun(
                    self._session,
                    None,
                    inputs,
                    values,
                    len(feeds),
                    outputs,
                    results,
                    len(fetches),
                    None,
                    0,
                    None,
                    status,
                )
        finally:
            for tensor in tensors:
                lib.TF_DeleteTensor(_POINTER(tensor))
        return [_to_array(result) for result in results]

    def _output(self, name: str) -> _Output:
        operation, _, index = name.partition(":")
        found = library().TF_GraphOperationByName(self._graph, operation.encode())
        assert found, f"no operation {operation}"
        return _Output(found, int(index or 0))


def _signatures(meta_graph: bytes) -> dict[str, Any]:
    found = dict(MetaGraphDef.FromString(meta_graph).signature_def)
    return {name: one for name, one in found.items() if not name.startswith("__")}


def _to_tensor(value: Any) -> int:
    lib = library()
    array = np.asarray(value)
    dims = (_LONG * array.ndim)(*array.shape)
    if array.dtype == object:
        size = _STRING_SIZE * array.size
        tensor = lib.TF_AllocateTensor(STRING, dims, array.ndim, ctypes.c_size_t(size))
        start = lib.TF_TensorData(_POINTER(tensor)) or 0
        for i, text in enumerate(array.reshape(-1).tolist()):
            place = _POINTER(start + i * _STRING_SIZE)
            lib.TF_StringInit(place)
            lib.TF_StringCopy(place, ctypes.c_char_p(text), ctypes.c_size_t(len(text)))
        return tensor
    content = np.ascontiguousarray(array)
    number = NUMBERS[content.dtype]
    tensor = lib.TF_AllocateTensor(number, dims, array.ndim, ctypes.c_size_t(content.nbytes))
    if content.nbytes:
        ctypes.memmove(lib.TF_TensorData(_POINTER(tensor)), content.ctypes.data, content.nbytes)
    return tensor


def _to_array(handle: int) -> NDArray[Any]:
    lib = library()
    tensor = _POINTER(handle)
    shape = [lib.TF_Dim(tensor, i) for i in range(lib.TF_NumDims(tensor))]
    kind = lib.TF_TensorType(tensor)
    start = lib.TF_TensorData(tensor) or 0
    if kind == STRING:
        values = np.empty(int(np.prod(shape)), object)
        for i in range(values.size):
            place = _POINTER(start + i * _STRING_SIZE)
            pointer = lib.TF_StringGetDataPointer(place)
            values[i] = ctypes.string_at(pointer, lib.TF_StringGetSize(place))
        lib.TF_DeleteTensor(tensor)
        return values.reshape(shape)
    size = lib.TF_TensorByteSize(tensor)
    if not size:
        lib.TF_DeleteTensor(tensor)
        return np.zeros(shape, DTYPES[kind])
    # No copy: the array holds the tensor's own memory, and gives it back in the end.
    memory = (ctypes.c_char * size).from_address(start)
    weakref.finalize(memory, lib.TF_DeleteTensor, tensor).atexit = False
    return np.frombuffer(memory, DTYPES[kind]).reshape(shape)
