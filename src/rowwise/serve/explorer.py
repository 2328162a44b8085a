"""The page at ``/``."""

from rowwise.serve.served import Served

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<title>rowwise</title>
<p>This server answers questions about words. <code>/info</code> says what it holds, and
<code>/openapi.json</code> what can be asked.</p>
</html>
"""


def explorer_page(served: Served) -> str:
    """The page of the live explorer, HTML that loads nothing from elsewhere.

    It is made once, when it is first asked for.
    """
    del served
    return _PAGE
