"""The report: one page of HTML, in which the models stand side by side."""

from fornet_hf.evaluation.report.comparison import Comparison, Measured
from fornet_hf.evaluation.report.page import page, write

__all__ = ["Comparison", "Measured", "page", "write"]
