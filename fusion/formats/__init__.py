"""The fused model for other runtimes: ONNX, OpenVINO, LiteRT, int8."""
