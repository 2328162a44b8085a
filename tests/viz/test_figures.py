"""Saving figures: by suffix, whole or not at all, the same bytes each time."""

import sys

import pytest

from rowwise.errors import InvalidArgumentError, MissingExtraError
from rowwise.viz import plot_confusion, plot_history, save_figure

BEGINNINGS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "PNG": b"\x89PNG"}


@pytest.mark.parametrize("suffix", BEGINNINGS)
def test_formats(tmp_path, suffix):
    path = tmp_path / f"curve.{suffix}"
    written = []
    for _ in range(2):
        save_figure(plot_history({"loss": [2.0, 1.0]}), str(path))
        written.append(path.read_bytes())
    assert written[0].startswith(BEGINNINGS[suffix])
    assert written[0] == written[1]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["curve.jpg", "curve", "curve.png.bak"])
def test_other_suffixes(tmp_path, name):
    with pytest.raises(InvalidArgumentError, match=r"saved as \.png, \.svg, \.pdf\. Received: "):
        save_figure(plot_history({"loss": [1.0]}), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        save_figure(plot_history({"loss": [1.0]}), tmp_path / "none" / "a.png")


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    figure = plot_history({"loss": [1.0]})

    def broken(target, **_):
        target.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", broken)
    with pytest.raises(OSError, match="disk full"):
        save_figure(figure, path)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    "draw", [lambda: plot_history({"loss": [1.0]}), lambda: plot_confusion([[1]], ["a"])]
)
def test_without_matplotlib(monkeypatch, draw):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="Drawing plots needs the package matplotlib"):
        draw()
