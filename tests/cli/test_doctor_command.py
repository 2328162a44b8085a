"""``rowwise doctor``: what is installed, what runs, what is missing."""

from importlib.metadata import version

from rowwise.backend import keras
from rowwise.cli import doctor


def test_report(rowwise):
    done = rowwise("doctor", "--json")
    assert (done.code, done.err) == (0, "")
    report = done.json
    assert report["versions"]["keras"] == version("keras")
    assert report["backend"] == keras.backend.backend()
    assert report["backends"][report["backend"]] is not None
    extras = {"plot", "approximate", "interchange", "download", "explore", "export", "dask"}
    assert set(report["extras"]) == extras


def test_lines(rowwise, monkeypatch):
    monkeypatch.setitem(doctor.EXTRAS, "explore", ("no-such-package",))
    done = rowwise("doctor")
    lines = dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert lines["numpy"] == version("numpy")
    assert lines["backend"].startswith(keras.backend.backend())
    assert lines["[plot]"] == "installed"
    assert lines["[explore]"] == 'not installed; pip install "rowwise[explore]"'
