"""Questions about vectors and classifiers over HTTP, and the live explorer."""

from rowwise.serve.addresses import listen
from rowwise.serve.app import create_app
from rowwise.serve.limits import Limits
from rowwise.serve.running import run

__all__ = ["Limits", "create_app", "listen", "run"]
