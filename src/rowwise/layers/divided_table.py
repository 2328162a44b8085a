"""Keras's embedding layer with a table that devices can share, whatever its number of rows."""

from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.layers.spare_rows import WithSpareRows, rows_on_devices, spare_rows_of, with_spare


class DividedTable(keras.layers.Embedding):
    """A base of ``Embedding``; see ``spare_rows.py``."""

    @property
    def table(self) -> Any:
        """The variable that holds the rows, without what LoRA adds to them."""
        return self._embeddings

    def add_weight(
        self,
        *args: Any,
        shape: Any = None,
        initializer: Any = None,
        name: Any = None,
        **kwargs: Any,
    ) -> Any:
        """As Keras's; the table gets as many rows on each device that has some of them."""
        spare = 0
        if name == "embeddings" and shape is not None:
            row_count = shape[0]
            spare = rows_on_devices(row_count, name) - row_count
            if spare:
                shape = (row_count + spare, *shape[1:])
                initializer = WithSpareRows(keras.initializers.get(initializer), row_count)
        variable = super().add_weight(
            *args, shape=shape, initializer=initializer, name=name, **kwargs
        )
        if spare:
            variable.rowwise_spare_rows = spare
        return variable

    @property
    def spare_rows(self) -> int:
        """How many rows of the table are behind those that ids are for.

        None, but where ``keras.distribution`` divides the rows among devices and cannot divide
        them evenly. No file has them.
        """
        return spare_rows_of(self.table)

    def save_own_variables(self, store: Any) -> None:
        """Write the table, without spare rows; Keras calls this."""
        if not self.spare_rows:
            super().save_own_variables(store)
            return
        whole: dict[str, Any] = {}
        super().save_own_variables(whole)
        for key, value in whole.items():
            array = np.asarray(value)
            store[key] = array[: self.input_dim] if array.shape == self.table.shape else array

    def load_own_variables(self, store: Any) -> None:
        """Read what ``save_own_variables`` wrote; Keras calls this."""
        if self.spare_rows and "0" in store.keys():  # noqa: SIM118  (all that Keras's stores have)
            store = {key: store[key] for key in store.keys()}  # noqa: SIM118
            store["0"] = with_spare(store["0"][:], self.table.shape[0])
        super().load_own_variables(store)

    def quantize(self, *args: Any, **kwargs: Any) -> None:
        """As Keras's layer does it."""
        self._refuse_with_spare_rows("quantised")
        super().quantize(*args, **kwargs)

    def enable_lora(self, *args: Any, **kwargs: Any) -> None:
        """As Keras's layer does it."""
        self._refuse_with_spare_rows("given LoRA")
        super().enable_lora(*args, **kwargs)

    def _refuse_with_spare_rows(self, what: str) -> None:
        if getattr(self, "built", False) and self.spare_rows:
            raise InvalidArgumentError(
                f"Layer {self.name!r} has {self.input_dim} rows, which its devices cannot share "
                f"evenly, and cannot be {what} with the {self.spare_rows} spare ones. Make it "
                "without a keras.distribution, or with another input_dim."
            )
