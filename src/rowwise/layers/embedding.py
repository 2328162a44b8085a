"""``Embedding``: Keras's layer, with a table from the start and ids that are looked at."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rowwise.backend import check_array, keras
from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.layers.divided_table import DividedTable
from rowwise.layers.given_weights import as_table
from rowwise.layers.ids import IdRange
from rowwise.layers.lookups import current_tape
from rowwise.layers.row_masks import as_row_mask
from rowwise.layers.spare_rows import spare_rows_of, with_spare
from rowwise.text import IdColumn, Tokenizer, Vocabulary
from rowwise.vectors import Coverage, Vectors
from rowwise.vectors.arguments import as_vectors, as_vocabulary

ops = keras.ops
POLICIES = ("raise", "clip", "oov")
UPDATES = ("auto", "exact", "lazy", "dense")
_VOCABULARY_FILE = "vocabulary.json"
_ROWS_FILE = "trainable_rows.npy"


@keras.saving.register_keras_serializable(package="rowwise")
class Embedding(DividedTable):
    """Turns ids into rows of a table: ``keras.layers.Embedding`` with what it lacks.

    The table exists from construction, so ``get_weights`` and ``set_weights`` need no batch.
    Everything else of Keras's layer works as there: masks, regularisers, LoRA, quantisation.

    Args:
        input_dim: rows of the table, or a ``Vocabulary``, whose length is taken and which is then
            kept with the layer, in ``.keras`` files too; or an ``IdColumn``, of which that is its
            ``vocabulary``.
        output_dim: columns of the table.
        input_length: how many ids an example has, or the shape of an example's ids. A
            ``rowwise.Sequential`` that starts with this layer gets an int32 input of this shape.
        weights: (input_dim, output_dim) first values of the table, or a list that holds them; or
            a ``keras.Variable``, which becomes the table and may be another layer's, too.
        invalid_ids: what to do about an id outside [0, input_dim) or not a whole number.
            ``"raise"``: an InvalidIdError that names layer, id, position and likely cause;
            ``"clip"``: take the nearest valid id; ``"oov"``: take ``oov_id``.
        oov_id: the id that stands for any other; 1 for a ``Vocabulary``.
        updates: how the table trains in a ``rowwise.Sequential`` or ``rowwise.Model``.
            ``"auto"``: with the weights that Keras's dense step gives, row-wise or densely,
            whichever is expected to be faster; ``"exact"``: row-wise, and an error where that is
            impossible; ``"lazy"``: row-wise, and rows that a batch does not look up stay as they
            are; ``"dense"``: as Keras does.
        zero_padding: row 0 is zero from the start, and training leaves it so.
        trainable_rows: which rows train, as a boolean mask (input_dim,), their ids or a slice;
            None for all. Training leaves the others as they are, and what the optimizer keeps for
            them.
        **kwargs: as for ``keras.layers.Embedding``: ``embeddings_initializer``,
            ``embeddings_regularizer``, ``embeddings_constraint``, ``mask_zero``, ``lora_rank``,
            ``name``, ``trainable``, ``dtype`` and so on.

    Input: ids of any shape. Output: float, the shape of the ids plus ``(output_dim,)``.

    Raises:
        InvalidArgumentError: an unknown policy, an ``oov_id`` that has no row, ``weights`` with NaN
            or infinity.
        InvalidShapeError: ``weights`` of another shape.
        InvalidIdError: when called, see ``invalid_ids``. Inside ``predict`` and ``evaluate`` of
            a ``rowwise.Sequential`` or ``rowwise.Model`` it comes when the batch has run. A stock
            ``keras.Model`` on JAX cannot raise it there: it warns, and the row is NaN.
    """

    def __init__(
        self,
        input_dim: int | Vocabulary | IdColumn,
        output_dim: int,
        *args: Any,
        input_length: int | tuple[int | None, ...] | None = None,
        weights: Any = None,
        invalid_ids: str = "raise",
        oov_id: int | None = None,
        updates: str = "auto",
        zero_padding: bool = False,
        trainable_rows: Any = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(input_dim, IdColumn):
            input_dim = input_dim.vocabulary
        vocabulary = input_dim if isinstance(input_dim, Vocabulary) else None
        # Keras's older name for the same thing, which files of Keras 2 hold.
        example_shape = kwargs.pop("input_shape", None)
        if isinstance(input_dim, Vocabulary):
            input_dim = len(input_dim)
            oov_id = 1 if oov_id is None else oov_id
        super().__init__(_as_int(input_dim), _as_int(output_dim), *args, **kwargs)
        self.vocabulary = vocabulary
        self.coverage: Coverage | None = None
        self.input_length = example_shape if input_length is None else input_length
        self.invalid_ids = invalid_ids
        self.oov_id = _as_int(oov_id)
        self.updates = updates
        self.zero_padding = zero_padding
        self.trainable_rows = None
        if trainable_rows is not None:
            self.trainable_rows = as_row_mask(trainable_rows, self.input_dim)
        self._shared_table = weights if isinstance(weights, keras.Variable) else None
        self.id_range = IdRange(self.name, self.input_dim)
        self._check_policy()
        if keras.backend.backend() == "tensorflow" and invalid_ids == "raise":
            self.supports_jit = False  # XLA there cannot call the host to say which id is wrong
        self.build()
        if weights is not None and self._shared_table is None:
            given = as_table(weights, self.name, (self.input_dim, self.output_dim))
            self.table.assign(with_spare(given, self.table.shape[0]))
        self._shared_table = None
        if zero_padding:
            self._clear_padding()

    @classmethod
    def from_vectors(
        cls,
        vectors: Vectors,
        vocabulary: Vocabulary | Tokenizer | None = None,
        *,
        oov: str | Sequence[str] = ("lower", "random"),
        trainable: bool = True,
        trainable_rows: Any = None,
        seed: int = 0,
        counts: Mapping[str, int] | None = None,
        texts: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """A layer whose table starts with the rows of ``vectors``.

        What they cover is kept in the layer's ``coverage``, a report to print; its ``found`` says
        of each id whether the row came from the vectors. It is not saved with the layer.

        Args:
            vectors: words and their rows.
            vocabulary: whose ids number the table's rows; or a fitted tokenizer with an
                ``oov_token``; None for the vectors' own words.
            oov: rules for words without a row, see ``Vectors.get``.
            trainable: whether the table is trained further.
            trainable_rows: as for the constructor; or ``"missing"``: those whose rows did not come
                from the vectors, padding left out.
            seed: of random rows.
            counts: how often words occur, for the report; by default what the vocabulary knows.
            texts: where to count them instead.
            **kwargs: as for the constructor: ``mask_zero``, ``input_length``, ``name`` and so on.

        Raises:
            UnknownWordError: a word without a row for which no rule made one.
            InvalidArgumentError: an unknown rule, or an argument of another kind.
        """
        vectors = as_vectors(vectors)
        if vocabulary is None:
            reserved = (Vocabulary.padding, Vocabulary.unknown)
            vocabulary = Vocabulary(word for word in vectors.words if word not in reserved)
        vocabulary = as_vocabulary(vocabulary)
        table = vectors.matrix(vocabulary, oov, seed=seed)
        coverage = vectors.coverage(vocabulary, oov, counts=counts, texts=texts)
        if isinstance(trainable_rows, str):
            if trainable_rows != "missing":
                raise InvalidArgumentError(
                    '`trainable_rows` must be rows, or "missing" for those that the vectors do not '
                    f"have. Received: {trainable_rows!r}."
                )
            trainable_rows = ~coverage.found
            trainable_rows[vocabulary.padding_id] = False
        layer = cls(
            vocabulary,
            vectors.dimension,
            weights=table,
            trainable=trainable,
            trainable_rows=trainable_rows,
            **kwargs,
        )
        layer.coverage = coverage
        return layer

    def _check_policy(self) -> None:
        if self.zero_padding not in (True, False):
            raise InvalidArgumentError(
                f"`zero_padding` must be True or False. Received: {self.zero_padding!r}."
            )
        if self.updates not in UPDATES:
            raise InvalidArgumentError(
                f"`updates` must be one of {', '.join(map(repr, UPDATES))}. "
                f"Received: {self.updates!r}."
            )
        if self.invalid_ids not in POLICIES:
            raise InvalidArgumentError(
                f"`invalid_ids` must be one of {', '.join(map(repr, POLICIES))}. "
                f"Received: {self.invalid_ids!r}."
            )
        if self.oov_id is None and self.invalid_ids != "oov":
            return
        if not isinstance(self.oov_id, int) or not 0 <= self.oov_id < self.input_dim:
            raise InvalidArgumentError(
                f"`oov_id` must be the id of a row, from 0 to {self.input_dim - 1}"
                f"{', when invalid_ids is oov' if self.oov_id is None else ''}. "
                f"Received: {self.oov_id!r}."
            )

    def build(self, input_shape: Any = None) -> None:
        """Make the table; the constructor does it."""
        if getattr(self, "built", False) or self._shared_table is None:
            super().build(input_shape)
            return
        count, *others = self._shared_table.shape
        shape = (count - spare_rows_of(self._shared_table), *others)
        if shape != (self.input_dim, self.output_dim):
            raise InvalidShapeError(
                f"A table to share must have shape ({self.input_dim}, {self.output_dim}). "
                f"Received a variable of shape {shape}."
            )
        self._embeddings = self._shared_table
        self.built = True

    def _clear_padding(self) -> None:
        """Set row 0 of the table to zero."""
        place = ops.zeros((2,), dtype="int32")
        zero = ops.zeros((1, self.output_dim), dtype=self.table.dtype)
        self.table.assign(ops.slice_update(self.table.value, place, zero))

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Take note of the words of a table that has a row for each of them by now.

        ``Model.resize`` gives it these rows.
        """
        self.vocabulary, self.input_dim = vocabulary, len(vocabulary)
        self.id_range = IdRange(self.name, self.input_dim)

    @property
    def resting_rows(self) -> npt.NDArray[np.bool_] | None:
        """Which rows never train: boolean (input_dim,), or None where all do."""
        if self.trainable_rows is None and not self.zero_padding:
            return None
        trained = self.trainable_rows
        resting = np.zeros(self.input_dim, dtype=bool) if trained is None else ~trained
        resting[0] |= self.zero_padding
        return resting

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Rows for ``inputs``; see ``call``."""
        # Keras makes int32 or float32 of what is not a tensor yet, and an id that does not fit
        # becomes another one: look at the numbers as they came.
        if isinstance(inputs, (np.ndarray, np.generic, list, tuple, int, float)):
            inputs = self._valid_on_host(np.asarray(inputs))
        return super().__call__(inputs, *args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Rows for ``inputs``, ids of any shape: shape ``inputs.shape + (output_dim,)``."""
        ids = self._valid(inputs, training)
        tape = current_tape()
        if tape is not None and tape.takes(self.table):
            return ops.cast(tape.rows(self.table, ids), self.compute_dtype)
        return self._from_table(ids)

    def _from_table(self, ids: Any) -> Any:
        """Rows of the table for valid ``ids``."""
        return self._without_gradient(super().call(ids), ids)

    def _without_gradient(self, rows: Any, ids: Any) -> Any:
        """``rows`` of ``ids``, those that never train as constants."""
        resting = self.resting_rows
        if resting is None:
            return rows
        constant = ops.take(ops.convert_to_tensor(resting), ids)
        return ops.where(ops.expand_dims(constant, -1), ops.stop_gradient(rows), rows)

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """As ``call``, for a quantised table."""
        inputs, *others = args
        return super().quantized_call(
            self._valid(inputs, kwargs.get("training")), *others, **kwargs
        )

    def _valid(self, ids: Any, training: bool | None) -> Any:
        """``ids`` as integers that all have a row, by the layer's policy."""
        dtype = keras.backend.standardize_dtype(ids.dtype)
        if "float" not in dtype and dtype not in ("int32", "int64"):
            ids = ops.cast(ids, "int32")
        if self.invalid_ids == "clip":
            last = self.input_dim - 1
            return ops.cast(
                ops.clip(ops.nan_to_num(ids) if "float" in dtype else ids, 0, last), "int32"
            )
        if self.invalid_ids == "oov":
            wrong, instead = self.id_range.invalid_tensor(ids), self.oov_id
        elif (tape := current_tape()) is not None and tape.notes(self):
            wrong, instead = self.id_range.invalid_tensor(ids), 0
            if not tape.note_invalid(self, ids, wrong):
                return ops.cast(ids, "int32")
        else:
            wrong = self.id_range.check_tensor(ids)
            # Only where the error comes later is this ever read: by JAX, which looks up NaN
            # behind the last row. In training NaN would spread into every weight.
            lost = keras.backend.backend() == "jax" and (training is None or training is False)
            instead = self.table.shape[0] if lost else 0
        return ops.where(wrong, ops.cast(instead, "int32"), ops.cast(ids, "int32"))

    def _valid_on_host(self, ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if ids.dtype.kind not in "iufb":
            raise InvalidArgumentError(
                f"Layer {self.name!r} expects ids, whole numbers from 0 to {self.input_dim - 1}. "
                f"Received an array of dtype {ids.dtype}. Turn words into ids first, with a "
                "Tokenizer or a Vocabulary."
            )
        if self.invalid_ids == "raise":
            check_array(ids, self.id_range.check)
            # Where a model that runs eagerly raises the error later, any row will do until then.
            ids = np.where(self.id_range.invalid(ids), np.zeros((), dtype=ids.dtype), ids)
        elif self.invalid_ids == "clip":
            ids = np.clip(np.nan_to_num(ids), 0, self.input_dim - 1)
        else:
            wrong = self.id_range.invalid(ids)
            ids = np.where(wrong, np.array(self.oov_id, dtype=ids.dtype), ids)
        return ids.astype(np.int32)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where ids are not padding: boolean, the shape of the ids; None without ``mask_zero``."""
        if self.mask_zero and self.invalid_ids != "raise":
            inputs = self._valid(inputs, None)  # an id that became padding is padding
        return super().compute_mask(inputs, mask)

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Quantise the table to ``"int8"`` or ``"int4"``, as Keras's layer does."""
        # Keras checks for its own class only, to keep out subclasses that compute differently.
        del type_check
        super().quantize(mode, type_check=False, config=config)

    def save_assets(self, dir_path: str) -> None:
        """Write what is not in the configuration to a ``.keras`` file; Keras calls this."""
        if self.trainable_rows is not None:
            np.save(Path(dir_path) / _ROWS_FILE, self.trainable_rows, allow_pickle=False)
        if self.vocabulary is not None:
            path = Path(dir_path) / _VOCABULARY_FILE
            path.write_text(self.vocabulary.to_json(), encoding="utf-8")

    def load_assets(self, dir_path: str | None) -> None:
        """Read what ``save_assets`` wrote; Keras calls this, without a path where it wrote none."""
        if dir_path is None:
            return
        path = Path(dir_path) / _ROWS_FILE
        if path.is_file():
            saved = np.load(path, allow_pickle=False)
            self.trainable_rows = as_row_mask(saved, self.input_dim)
        path = Path(dir_path) / _VOCABULARY_FILE
        if path.is_file():
            self.vocabulary = Vocabulary.from_json(path.read_text(encoding="utf-8"))

    def get_config(self) -> dict[str, Any]:
        """What the constructor needs to make such a layer.

        Vocabulary, weights and ``trainable_rows`` are saved beside it.
        """
        return {
            **super().get_config(),
            "input_length": self.input_length,
            "invalid_ids": self.invalid_ids,
            "oov_id": self.oov_id,
            "updates": self.updates,
            "zero_padding": self.zero_padding,
        }


def _as_int(value: Any) -> Any:
    """NumPy's whole numbers as Python's, which Keras asks for; anything else unchanged."""
    return int(value) if isinstance(value, np.integer) else value
