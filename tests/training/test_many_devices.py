"""Tables on several devices: the weights of one device, and no more sent than a batch needs.

Rows are divided among eight devices where their number cannot be: one has less than the others.
"""

import math
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import LAYOUTS, by_rows, laid_out, mesh, on_devices, whole_state
from twins import Kit, assert_close, compiled_texts, ways

import rowwise
from rowwise import layers
from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError, InvalidIdError
from rowwise.training import load_keras_model

ROWS, COLUMNS, LENGTH, BATCH, STEPS = 83, 3, 5, 16, 40
COLLECTIVES = "all-gather|all-reduce|reduce-scatter|all-to-all|collective-permute"
optimizers = keras.optimizers


def batches(kind: str = "zipf") -> tuple[Any, Any]:
    """Ids (n, LENGTH) and targets; the same id in examples that are on different devices."""
    generator = np.random.default_rng(4)
    size = (STEPS * BATCH, LENGTH)
    if kind == "zipf":
        chances = 1 / np.arange(1, ROWS - 3) ** 1.4
        ids = generator.choice(ROWS - 4, size=size, p=chances / chances.sum())
    elif kind == "one shard":
        ids = generator.integers(22, 33, size)
    else:
        ids = generator.integers(0, ROWS, size)
    return ids.astype("int32"), generator.integers(0, 2, (STEPS * BATCH, 1)).astype("float32")


def plain(kit: Kit, **settings: Any) -> Any:
    words = kit.embedding(ROWS, COLUMNS, name="words", **settings)
    return [words, layers.Pool("mean"), keras.layers.Dense(1, activation="sigmoid")]


def pooled(kit: Kit) -> Any:
    words = kit.reduce(ROWS, COLUMNS, name="words", mask_zero=True)
    return [words, keras.layers.Dense(1, activation="sigmoid")]


def recurrent(kit: Kit) -> Any:
    words = kit.embedding(ROWS, COLUMNS, name="words", mask_zero=True)
    return [words, keras.layers.LSTM(4), keras.layers.Dense(1, activation="sigmoid")]


def shared(kit: Kit) -> Any:
    """One table looked up twice, and another one, whose lookups depend on no rows."""
    ids = keras.Input((LENGTH,), dtype="int32")
    words, others = (kit.embedding(ROWS, COLUMNS, name=name) for name in ("words", "others"))
    found = [words(ids), words(ids // 2), others(ids)]
    found = keras.layers.GlobalAveragePooling1D()(keras.layers.Concatenate()(found))
    return kit.model(ids, keras.layers.Dense(1, activation="sigmoid")(found))


def chained(kit: Kit) -> Any:
    """Ids that depend on rows."""
    ids = keras.Input((LENGTH,), dtype="int32")
    first = kit.embedding(ROWS, COLUMNS, name="words")(ids)
    where = keras.ops.cast(keras.ops.argmax(first, axis=-1), "int32")
    second = kit.embedding(COLUMNS, COLUMNS, name="others")(where)
    found = keras.layers.GlobalAveragePooling1D()(keras.layers.Concatenate()([first, second]))
    return kit.model(ids, keras.layers.Dense(1, activation="sigmoid")(found))


def trained(
    head: Any = plain,
    optimizer: Any = lambda: optimizers.Adam(0.02),
    updates: str = "exact",
    kind: str = "zipf",
    **settings: Any,
) -> Any:
    keras.utils.set_random_seed(1)
    kit = Kit(True, updates)
    model = head(kit, **settings)
    if isinstance(model, list):
        model = rowwise.Sequential([keras.Input((LENGTH,), dtype="int32"), *model])
    model.compile(optimizer(), "binary_crossentropy")
    ids, targets = batches(kind)
    model.fit(ids, targets, batch_size=BATCH, shuffle=False, verbose=0)
    return model


CASES: dict[str, tuple[Any, dict[str, Any], str]] = {
    **{f"plain, {layout}": (plain, {}, layout) for layout in LAYOUTS},
    **{f"pooled, {layout}": (pooled, {}, layout) for layout in LAYOUTS},
}
ONE, TWO = list(LAYOUTS)[1:3]
CASES |= {
    "LSTM": (recurrent, {}, TWO),
    "two tables and a shared one": (shared, {}, ONE),
    "ids that depend on rows": (chained, {}, TWO),
    "ids in every shard": (plain, {"kind": "even"}, ONE),
    "ids in one shard": (plain, {"kind": "one shard"}, ONE),
    "SGD with momentum": (plain, {"optimizer": lambda: optimizers.SGD(0.1, momentum=0.9)}, ONE),
    "AdamW": (plain, {"optimizer": lambda: optimizers.AdamW(0.02, weight_decay=0.1)}, TWO),
    "Adagrad": (plain, {"optimizer": lambda: optimizers.Adagrad(0.1)}, ONE),
    "Nadam": (plain, {"optimizer": lambda: optimizers.Nadam(0.01)}, TWO),
    "Ftrl": (plain, {"optimizer": lambda: optimizers.Ftrl(0.1)}, ONE),
    "norms clipped": (plain, {"optimizer": lambda: optimizers.Adam(0.02, clipnorm=0.02)}, ONE),
    "one norm clipped": (
        pooled,
        {"optimizer": lambda: optimizers.SGD(0.5, global_clipnorm=0.02)},
        TWO,
    ),
    "scaled loss": (
        plain,
        {"optimizer": lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.02))},
        ONE,
    ),
    "lazy": (plain, {"updates": "lazy"}, ONE),
    "dense": (plain, {"updates": "dense"}, ONE),
    "some rows": (plain, {"zero_padding": True, "trainable_rows": np.arange(0, ROWS, 2)}, ONE),
    "some rows, dense": (plain, {"updates": "dense", "trainable_rows": np.arange(0, ROWS, 2)}, TWO),
}

if keras.backend.backend() == "jax":

    @pytest.mark.parametrize("name", CASES)
    def test_weights_and_slots_are_those_of_one_device(name: str) -> None:
        head, settings, layout = CASES[name]
        alone = trained(head, **settings)
        with on_devices(LAYOUTS[layout]()):
            model = trained(head, **settings)
        assert set(ways(model)) == {settings.get("updates", "exact")}
        assert ways(alone) == ways(model)
        assert_close(whole_state(model), whole_state(alone))

    def test_rows_are_divided_and_said_to_be() -> None:
        with on_devices(by_rows("batch", "batch", batch=8)):
            model = trained()
            table = model.layers[0].table
            assert table.shape == (88, COLUMNS)
            assert model.layers[0].spare_rows == 5
            places = [*slots_of_table(model), table.value]
            assert {shard.data.shape for one in places for shard in one.addressable_shards} == {
                (11, COLUMNS)
            }
            [decision] = model.table_updates()
            assert decision.why == "asked for; its rows are divided among 8 devices"

    def slots_of_table(model: Any) -> list[Any]:
        shape = model.layers[0].table.shape
        return [one.value for one in model.optimizer.variables if one.shape == shape]

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_everybody_reads_what_is_current(layout: str) -> None:
        ids, targets = batches()
        found = []
        for there in (None, LAYOUTS[layout]()):
            with on_devices(there):
                model = trained()
                seen = model.predict(ids, verbose=0), model.evaluate(ids, targets, verbose=0)
                read = model.get_weights()
                model.set_weights(read)
                for start in (0, BATCH):
                    model.train_on_batch(ids[start : start + BATCH], targets[start : start + BATCH])
                found.append((*seen, read[0][:ROWS], whole_state(model)))
        assert_close(*found)

    @pytest.mark.parametrize("batch", [16, 6])
    def test_a_batch_that_cannot_be_divided(batch: int) -> None:
        """Its examples lie on the two devices of an axis, and its lookups are no multiple of 8."""
        ids, targets = batches()
        models = []
        for layout in (None, TWO):
            with on_devices(layout and LAYOUTS[layout]()):
                model = trained()
                model.fit(ids[:batch, :3], targets[:batch], batch_size=batch, verbose=0)
                models.append(whole_state(model))
        assert_close(*models)

    def test_a_batch_that_devices_cannot_share_is_an_error() -> None:
        ids, targets = batches()
        with on_devices(by_rows("batch", "batch", batch=8)):
            model = trained()
            before = whole_state(model)
            message = "equal number of its examples on each of 8. Use a batch_size that is a multi"
            with pytest.raises(InvalidArgumentError, match=message):
                model.fit(ids[:12], targets[:12], batch_size=12, verbose=0)
            with pytest.raises(InvalidArgumentError, match=message):
                model.predict(ids[:12], verbose=0)
            assert_close(whole_state(model)[0], before[0], 0)

    def collectives(
        monkeypatch: pytest.MonkeyPatch, layout: Any, row_count: int, head: Any
    ) -> tuple[list[tuple[str, int]], str]:
        """What a compiled step sends: kinds and how many numbers; and its text."""
        import jax

        texts: list[str] = []
        jit = jax.jit

        def compile_and_keep(function: Any, **options: Any) -> Any:
            jitted = jit(function, **options)

            def call(*arguments: Any) -> Any:
                texts.append(jitted.lower(*arguments).compile().as_text())
                return jitted(*arguments)

            return call if {"out_shardings", "donate_argnums"} <= set(options) else jitted

        monkeypatch.setattr(jax, "jit", compile_and_keep)
        monkeypatch.setattr(f"{__name__}.ROWS", row_count)
        with on_devices(layout):
            keras.utils.set_random_seed(1)
            made = head(Kit(True))
            model = rowwise.Sequential([keras.Input((LENGTH,), dtype="int32"), *made])
            model.compile("adam", "binary_crossentropy")
            model.train_on_batch(*(one[:BATCH] for one in batches()))
        monkeypatch.undo()
        found = re.findall(rf"= (.*?) ({COLLECTIVES})(?:-start)?\(", texts[0])
        assert found
        return sorted(
            (kind, sum(math.prod(map(int, filter(None, size.split(",")))) for size in sizes))
            for result, kind in found
            if (sizes := re.findall(r"\[([\d,]*)\]", result))
        ), texts[0]

    @pytest.mark.parametrize("head", [plain, pooled])
    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_what_is_sent_depends_on_the_batch_alone(
        layout: str, head: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small, _ = collectives(monkeypatch, LAYOUTS[layout](), 1000, head)
        large, text = collectives(monkeypatch, LAYOUTS[layout](), 64_000, head)
        assert small == large
        # Ids; rows and their gradients, or what is summed of them; and what the head needs.
        assert max(size for _, size in large) <= BATCH * LENGTH * COLUMNS
        assert sum(size for _, size in large) <= 3 * BATCH * LENGTH * (COLUMNS + 1)
        shards = (64_000, 8_000, 16_000)
        of_tables = "|".join(rf"\[{size}[,\]]|\[{size + 1}\]" for size in shards)
        assert not re.findall(rf"(?:{of_tables})\S* copy\(", text)

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_a_flush_sends_nothing(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
        texts = compiled_texts(monkeypatch)
        with on_devices(LAYOUTS[layout]()):
            model = trained(trainable_rows=np.arange(0, ROWS, 2))
            model.get_weights()
        begin, flush = texts
        assert not re.findall(rf"= .* (?:{COLLECTIVES})", begin)
        assert not re.findall(rf"= .* (?:{COLLECTIVES})", flush)

    def test_columns_are_not_to_be_divided() -> None:
        with on_devices(laid_out((None, "model"), "batch", batch=2, model=COLUMNS)):
            model = trained(updates="auto")
            [decision] = model.table_updates()
            assert (decision.how, decision.why) == (
                "dense",
                "its columns are divided among devices, where its rows would have to be",
            )
            with pytest.raises(InvalidArgumentError, match="its columns are divided among devices"):
                trained()

    def test_a_bad_id_harms_no_row() -> None:
        ids, targets = batches()
        wrong = ids[:BATCH].copy()
        wrong[3, 1] = ROWS  # there is such a row, but it is a spare one
        with on_devices(by_rows("batch", "batch", batch=8)):
            model = trained()
            before = whole_state(model)
            with pytest.raises(InvalidIdError, match=rf"Received: {ROWS} at position \(3, 1\)"):
                model.fit(wrong, targets[:BATCH], batch_size=BATCH, shuffle=False, verbose=0)
            assert_close(whole_state(model)[0], before[0], 0)

    @pytest.mark.parametrize("layout", [None, *LAYOUTS])
    def test_a_file_is_the_same_for_any_number_of_devices(
        layout: str | None, tmp_path: Path
    ) -> None:
        ids, targets = batches()
        with on_devices(by_rows("batch", "batch", batch=8)):
            model = trained()
            model.save(tmp_path / "model.keras")
            model.fit(ids, targets, batch_size=BATCH, shuffle=False, verbose=0)
        with on_devices(layout and LAYOUTS[layout]()):
            again = load_keras_model(tmp_path / "model.keras")
            again.fit(ids, targets, batch_size=BATCH, shuffle=False, verbose=0)
            assert_close(whole_state(again), whole_state(model))

    @pytest.mark.parametrize("layout", [(None, "rows"), ("data", "rows")])
    def test_columns_that_are_divided_are_saved(layout: Any, tmp_path: Path) -> None:
        """Of large arrays, which are written part by part."""
        found = keras.distribution.LayoutMap(mesh(data=2, rows=4))
        found[".*embeddings"] = layout
        found[".*kernel"] = (None, "rows")
        with on_devices(keras.distribution.ModelParallel(layout_map=found, batch_dim_name="data")):
            model = rowwise.Sequential(
                [
                    keras.Input((LENGTH,), dtype="int32"),
                    layers.Embedding(40_000, 8, updates="dense"),
                    keras.layers.GlobalAveragePooling1D(),
                    keras.layers.Dense(40_000),
                ]
            )
            model.save(tmp_path / "model.keras")
            expected = model.get_weights()
        assert_close(load_keras_model(tmp_path / "model.keras").get_weights(), expected, 0)

    @pytest.mark.parametrize("trainable", [True, False])
    @pytest.mark.parametrize("rows", [1003, 30_001])
    def test_tables_are_saved_without_spare_rows(
        rows: int, trainable: bool, tmp_path: Path
    ) -> None:
        """Small and large ones, those that train and those that are frozen, with their slots."""
        path = tmp_path / "model.weights.h5"

        def make() -> Any:
            table = layers.Embedding(rows, 16, trainable=trainable, updates="exact")
            model = rowwise.Sequential(
                [keras.Input((4,), dtype="int32"), table, layers.Pool(), keras.layers.Dense(1)]
            )
            model.compile("adam", "mse")
            model.optimizer.build(model.trainable_variables)
            return model

        with on_devices(by_rows("batch", "batch", batch=8)):
            model = make()
            ids = np.arange(64, dtype="int32").reshape(16, 4)
            model.fit(ids, np.ones((16, 1)), batch_size=8, verbose=0)
            model.save(tmp_path / "model.keras")
            model.save_weights(path)
            expected = whole_state(model)
            again = make()
            again.load_weights(path)
            assert_close(whole_state(again), expected, 0)
        alone = make()
        alone.load_weights(path)
        assert_close(whole_state(alone), expected, 0)
        assert_close(whole_state(load_keras_model(tmp_path / "model.keras")), expected, 0)

    def test_a_killed_training_is_resumed_by_keras_own_callback(tmp_path: Path) -> None:
        ids, targets = batches()
        options = {"batch_size": BATCH, "shuffle": False, "verbose": 0}

        class Stop(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                raise KeyboardInterrupt

        with on_devices(by_rows("batch", "batch", batch=8)):
            whole = trained()
            whole.fit(ids, targets, **options)
            for callbacks in ([Stop()], []):
                keras.utils.set_random_seed(1)
                model = rowwise.Sequential(
                    [keras.Input((LENGTH,), dtype="int32"), *plain(Kit(True, "exact"))]
                )
                model.compile(optimizers.Adam(0.02), "binary_crossentropy")
                resume = keras.callbacks.BackupAndRestore(tmp_path)
                with suppress(KeyboardInterrupt):
                    model.fit(ids, targets, epochs=2, callbacks=[resume, *callbacks], **options)
            assert_close(whole_state(model), whole_state(whole))

    @pytest.mark.parametrize("initializer", ["glorot_uniform", "he_normal", "orthogonal"])
    def test_a_table_begins_as_on_one_device(initializer: str) -> None:
        found = []
        for layout in (None, by_rows("batch", "batch", batch=8)):
            with on_devices(layout):
                keras.utils.set_random_seed(1)
                table = layers.Embedding(ROWS, COLUMNS, embeddings_initializer=initializer).table
                found.append(np.asarray(table))
        assert_close(found[0], found[1][:ROWS], 0)
        assert found[1].shape == (88, COLUMNS)
        assert not found[1][ROWS:].any()

    def test_nothing_that_sees_a_whole_table_sees_spare_rows() -> None:
        found = []
        for layout in (None, by_rows("batch", "batch", batch=8)):
            with on_devices(layout):
                model = trained(
                    optimizer=lambda: optimizers.Lamb(0.02),
                    updates="auto",
                    embeddings_regularizer="l2",
                )
                assert ways(model) == ["dense"]
                found.append([*whole_state(model), model.evaluate(*batches(), verbose=0)])
        assert_close(*found, 1e-5)

    def test_what_spare_rows_do_not_go_with_is_an_error() -> None:
        with on_devices(by_rows("batch", "batch", batch=8)):
            layer = layers.Embedding(ROWS, COLUMNS)
            with pytest.raises(InvalidArgumentError, match="cannot be quantised with the 5 spare"):
                layer.quantize("int8")
            with pytest.raises(InvalidArgumentError, match="cannot be given LoRA"):
                layer.enable_lora(2)
            layers.Embedding(88, COLUMNS).enable_lora(2)

    def test_without_compilation_tables_on_devices_train_densely() -> None:
        ids, targets = batches()
        with on_devices(by_rows("batch", "batch", batch=8)):
            model = trained(updates="auto")
            model.compile("adam", "mse", run_eagerly=True)
            model.fit(ids[:BATCH], targets[:BATCH], batch_size=BATCH, verbose=0)
            [decision] = model.table_updates()
            assert decision.how == "dense"
            assert decision.why.startswith("on several devices a model has to be compiled")

    def test_rows_on_devices_are_not_moved() -> None:
        vocabulary = rowwise.Vocabulary(["a", "b"])
        with on_devices(by_rows("batch", "batch", batch=8)):
            layer = layers.Embedding(vocabulary, 2, input_length=2)
            model = rowwise.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
            with pytest.raises(InvalidArgumentError, match="is on several devices"):
                model.resize(rowwise.Vocabulary(["a"]))

    def test_a_table_takes_rows_without_spare_ones() -> None:
        values = np.random.default_rng(0).normal(size=(ROWS, COLUMNS)).astype("float32")
        with on_devices(by_rows("batch", "batch", batch=8)):
            layer = layers.Embedding(ROWS, COLUMNS, weights=values)
            assert_close(layer.table.numpy()[:ROWS], values, 0)
            assert_close(layer(np.arange(ROWS)), values, 0)
            other = layers.Embedding(ROWS, COLUMNS, weights=layer.table, name="other")
            assert other.table is layer.table
        # Made before there was a distribution, or after it was gone.
        assert layers.Embedding(ROWS, COLUMNS, weights=layer.table).spare_rows == 5
        stock = keras.Sequential([keras.Input((4,)), keras.layers.Embedding(ROWS, COLUMNS)])
        with on_devices(by_rows("batch", "batch", batch=8)):
            assert rowwise.convert(stock).layers[0].spare_rows == 0
