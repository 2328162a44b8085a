"""Models and tables for other programs."""

from rowwise.export.onnx_model import onnx_model
from rowwise.export.stock import stock_model
from rowwise.export.tokenizer import tokenizer_json
from rowwise.export.writing import FORMATS, export_model

__all__ = ["FORMATS", "export_model", "onnx_model", "stock_model", "tokenizer_json"]
