"""One self-contained page in which words can be searched, picked and laid out."""

from rowwise.viz.page.writing import PageReport, page_html, write_page

__all__ = ["PageReport", "page_html", "write_page"]
