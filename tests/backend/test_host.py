import threading
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from rowwise.backend import check_on_host, collect_errors, keras, without_checks
from rowwise.errors import InvalidIdError


def refuse_negative(values: np.ndarray) -> None:
    if (values < 0).any():
        raise InvalidIdError(f"negative: {values.min()}")


@keras.saving.register_keras_serializable("tests")
class Checked(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        check_on_host(keras.ops.any(inputs < 0), inputs, refuse_negative)
        return inputs + 1


def model() -> Any:
    made = keras.Sequential([keras.Input((2,), dtype="int32"), Checked()])
    made.compile()
    return made


GOOD, BAD = np.array([[1, 2]]), np.array([[1, -2]])


def test_a_plain_call_raises() -> None:
    assert keras.ops.convert_to_numpy(Checked()(GOOD)).tolist() == [[2, 3]]
    with pytest.raises(InvalidIdError, match="negative: -2"):
        Checked()(BAD)


def test_compiled_functions_collect() -> None:
    predictor = model()
    with collect_errors(predictor) as errors:
        assert predictor.predict(GOOD, verbose=0).tolist() == [[2, 3]]
    assert errors == []
    # Where that does no harm, it is raised at once, too, in the framework's own words.
    with collect_errors(predictor) as inner, collect_errors("other") as other, suppress(Exception):
        predictor.predict(BAD, verbose=0)
    # What is not compiled belongs to whoever runs it.
    mine, not_mine = (other, inner) if keras.backend.backend() == "torch" else (inner, other)
    assert [str(error) for error in mine] == ["negative: -2"]
    assert not_mine == []


def test_where_nobody_collects_it_is_a_warning_or_an_error() -> None:
    if keras.backend.backend() == "jax":
        with pytest.warns(RuntimeWarning, match="negative: -2"):
            model().predict(BAD, verbose=0)
    else:
        with pytest.raises(Exception, match="negative: -2"):
            model().predict(BAD, verbose=0)


def test_without_checks_nothing_is_looked_at() -> None:
    with without_checks():
        assert keras.ops.convert_to_numpy(Checked()(BAD)).tolist() == [[2, -1]]
        model().predict(BAD, verbose=0)


def test_a_vectorised_function_checks_its_values_not_its_branches() -> None:
    mapped = keras.ops.vectorized_map(Checked(), keras.ops.convert_to_tensor(GOOD))
    assert keras.ops.convert_to_numpy(mapped).tolist() == [[2, 3]]


def test_an_inner_run_that_finds_nothing_does_not_deafen_the_outer_one() -> None:
    predictor = model()
    with collect_errors(predictor) as outer, suppress(Exception):
        with collect_errors(predictor) as inner:
            predictor.predict(GOOD, verbose=0)
        assert inner == []
        predictor.predict(BAD, verbose=0)
    assert [str(error) for error in outer] == ["negative: -2"]


def test_models_in_several_threads_keep_their_errors_apart() -> None:
    good, bad = model(), model()
    found: dict[str, list[int]] = {"good": [], "bad": []}

    def run(name: str, predictor: Any, ids: np.ndarray) -> None:
        for _ in range(20):
            with collect_errors(predictor) as errors, suppress(Exception):
                predictor.predict(ids, verbose=0)
            found[name].append(len(errors))

    threads = [
        threading.Thread(target=run, args=arguments)
        for arguments in (("good", good, GOOD), ("bad", bad, BAD))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"good": [0] * 20, "bad": [1] * 20}
