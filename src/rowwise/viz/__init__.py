"""Looking at a table and at a training run: pictures that are functions of plain values.

Every picture is a ``matplotlib.figure.Figure`` made without pyplot: nothing global is touched, no
display is needed. Importing this package loads neither matplotlib nor scikit-learn.
"""

from rowwise.viz.comparison import Comparison, Moved, compare
from rowwise.viz.comparison_plot import plot_comparison
from rowwise.viz.confusion import plot_confusion
from rowwise.viz.figures import save_figure
from rowwise.viz.history import plot_history
from rowwise.viz.journey import Journey
from rowwise.viz.journey_plot import plot_journey, save_journey
from rowwise.viz.maps import plot_map
from rowwise.viz.page import PageReport, page_html, write_page
from rowwise.viz.projection import project
from rowwise.viz.projector import write_projector

__all__ = [
    "Comparison",
    "Journey",
    "Moved",
    "PageReport",
    "compare",
    "page_html",
    "plot_comparison",
    "plot_confusion",
    "plot_history",
    "plot_journey",
    "plot_map",
    "project",
    "save_figure",
    "save_journey",
    "write_page",
    "write_projector",
]
