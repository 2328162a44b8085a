"""What a column of a Parquet file must be like."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rowwise.text.columns import position
from rowwise.text.reading import Fault, shown


def check_schema(schema: Any, names: Sequence[str]) -> None:
    """Make sure that there is a column of texts and, if two are asked for, one of labels.

    Args:
        schema: the Arrow schema of the file.
        names: of the column of texts, and of that of the labels.

    Raises:
        Fault: a column is missing, or holds something else.
    """
    for name, labels in zip(names, (False, True), strict=False):
        kind = schema.field(position(name, schema.names, "the schema")).type
        if not _is_readable(kind, labels):
            wanted = "strings, numbers or booleans" if labels else "strings"
            problem = f"expected {wanted}, found {kind}. Name another column or convert it"
            raise Fault(problem, f"column {shown(name)}")


@contextmanager
def parquet_faults() -> Iterator[None]:
    """Turn what goes wrong in reading Parquet into a ``Fault``."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Fault(f"cannot be read as Parquet ({shown(error, 90)}). Write it again") from error


def _is_readable(kind: Any, labels: bool) -> bool:
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    checks = [types.is_string, types.is_large_string, types.is_string_view]
    if labels:
        checks += [types.is_integer, types.is_floating, types.is_boolean]
    return any(check(kind) for check in checks)
