"""How does a field leave this project? As plain torch modules and as an ONNX graph."""
