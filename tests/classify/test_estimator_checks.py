"""scikit-learn's own checks of estimators, those that make sense for texts.

They come with tables of numbers. ``NumbersAsTexts`` writes each row of numbers as a text, so that
checks of behaviour (cloning, pickling, order of samples, what ``fit`` returns and leaves alone)
run on the real classifier. Left out are those that count columns or look for NaN in the table,
which have no meaning for texts, and those for parameters that this class has not got.
"""

from typing import Any, Self

import numpy as np
import pytest
from sklearn.utils import estimator_checks

from rowwise import TextClassifier

NAME = "TextClassifier"

WITHOUT_DATA = [
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_mixin_order,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_set_params,
    estimator_checks.check_valid_tag_types,
]
WITH_DATA = [
    estimator_checks.check_classifiers_regression_target,
    estimator_checks.check_classifiers_classes,
    estimator_checks.check_dict_unchanged,
    estimator_checks.check_dont_overwrite_parameters,
    estimator_checks.check_estimators_fit_returns_self,
    estimator_checks.check_estimators_overwrite_params,
    estimator_checks.check_estimators_pickle,
    estimator_checks.check_estimators_unfitted,
    estimator_checks.check_fit_check_is_fitted,
    estimator_checks.check_fit_idempotent,
    estimator_checks.check_fit_score_takes_y,
    estimator_checks.check_methods_sample_order_invariance,
    estimator_checks.check_methods_subset_invariance,
    estimator_checks.check_pipeline_consistency,
    estimator_checks.check_readonly_memmap_input,
    estimator_checks.check_requires_y_none,
    estimator_checks.check_supervised_y_no_nan,
    estimator_checks.check_classifiers_one_label,
    estimator_checks.check_supervised_y_2d,
]


class NumbersAsTexts(TextClassifier):
    """Quick to train; a row of numbers becomes a text of words such as ``c0_3``."""

    def __init__(self, epochs: int = 2, output_dim: int = 4, random_state: int | None = 0) -> None:
        super().__init__(epochs=epochs, output_dim=output_dim, random_state=random_state)
        self.pair_buckets = 64

    def fit(self, X: Any, y: Any) -> Self:
        return super().fit(as_texts(X), y)

    def predict_proba(self, X: Any) -> Any:
        return super().predict_proba(as_texts(X))

    def predict(self, X: Any) -> Any:
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags


def as_texts(numbers: Any) -> list[str]:
    table = np.rint(np.asarray(numbers, dtype="float64") * 2).astype(int)
    return [" ".join(f"c{i}_{value}" for i, value in enumerate(row)) for row in table]


@pytest.mark.parametrize("check", WITHOUT_DATA, ids=lambda check: check.__name__)
def test_checks_without_data(check: Any) -> None:
    if check is estimator_checks.check_parameters_default_constructible:
        check(NAME, TextClassifier())
    else:
        check(NAME, TextClassifier(random_state=0))


@pytest.mark.parametrize("check", WITH_DATA, ids=lambda check: check.__name__)
def test_checks_with_data(check: Any) -> None:
    check("NumbersAsTexts", NumbersAsTexts())
