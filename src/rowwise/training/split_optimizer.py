"""Keras's optimizer in parts: one for what trains densely, one for the rows of each table.

No optimizer is written again here. Every part is a clone of the user's, built on other variables:
the dense part on the model's dense variables, a table's part on a block of rows, which is given
the values of whatever rows are to be updated. A clone's learning rate is a plain variable that is
fed with the original's rate in each step, so schedules stay the original's.

What an optimizer does across variables goes through the dense part, which is complete: there each
table has a *stand-in*, a number whose gradient is the norm of the table's gradient. So a norm that
is clipped, and the check for infinities of a loss scale, see exactly what dense training shows.
"""

from dataclasses import dataclass
from typing import Any

from rowwise.backend import keras, rows
from rowwise.training.keras_seam import (
    applied,
    decays,
    forget_values,
    give_shape,
    is_the_same_in_place,
    iterations_variable,
    on_one_device,
    rate_variable,
    rebuilt_optimizer,
    rename_like,
    stateless,
)

ops = keras.ops


@dataclass(frozen=True)
class Places:
    """Where in ``optimizer.variables`` what is kept."""

    shared: list[int]
    """What the optimizer has once, without the learning rate."""
    rate: int | None
    """The learning rate, when it is a variable."""
    slots: list[list[int]]
    """For each variable that it was built on, what it keeps for that."""


def inner_optimizer(optimizer: Any) -> Any:
    """The optimizer that updates: another one may only scale the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def find_places(optimizer: Any, variables: list[Any]) -> Places:
    """The places of an optimizer like ``optimizer`` when it is built on ``variables``.

    Found by building one on variables that differ in their first dimension, which slots copy.
    """
    with on_one_device():
        markers = []
        for number, variable in enumerate(variables):
            rank = max(1, len(variable.shape))
            markers.append(rename_like(variable, ops.zeros((number + 2, *[1] * (rank - 1)))))
        probe = rebuilt_optimizer(optimizer)
        probe.build(markers)
    rate = _rate_place(probe)
    shared: list[int] = []
    slots: list[list[int]] = [[] for _ in variables]
    for place, variable in enumerate(probe.variables):
        if len(variable.shape):  # TensorFlow's shape of a scalar counts as true
            slots[variable.shape[0] - 2].append(place)
        elif place != rate:
            shared.append(place)
    return Places(shared, rate, slots)


def _rate_place(optimizer: Any) -> int | None:
    return _index_of(rate_variable(inner_optimizer(optimizer)), optimizer.variables)


def _index_of(wanted: Any, variables: list[Any]) -> int | None:
    return next((i for i, variable in enumerate(variables) if variable is wanted), None)


class SplitOptimizer:
    """The optimizer of a model some of whose variables are tables that train row-wise.

    Args:
        optimizer: the model's, built.
        variables: the model's trainable variables.
        tables: the indices among them of the tables.
        block_rows: how many rows of a table are updated at once; 0 for any number.
    """

    def __init__(
        self, optimizer: Any, variables: list[Any], tables: list[int], block_rows: int
    ) -> None:
        self._optimizer, self._inner = optimizer, inner_optimizer(optimizer)
        self._scales_loss = self._inner is not optimizer
        self.dense = [i for i in range(len(variables)) if i not in tables]
        self._places = _with_actual_rate(find_places(optimizer, variables), optimizer)
        self.slots = [self._places.slots[i] for i in tables]
        iterations = _index_of(iterations_variable(self._inner), optimizer.variables)
        assert iterations is not None
        self._iterations = iterations

        built_on = [
            rename_like(variables[i], ops.zeros(variables[i].shape)) for i in self.dense
        ] + [rename_like(variables[i], ops.zeros((1, 1))) for i in tables]
        self._whole = stateless(rebuilt_optimizer(optimizer))
        stateless(inner_optimizer(self._whole))
        self._exclude(self._whole, [variables[i] for i in self.dense], built_on)
        self._whole.build(built_on)
        self._whole_places = find_places(optimizer, built_on)

        inner_shared = {id(variable) for variable in self._inner.variables}
        self._inner_shared = [
            place for place in self._places.shared if id(optimizer.variables[place]) in inner_shared
        ]
        self._dense_variables = [variables[i] for i in self.dense]
        self._parts = []
        for i in tables:
            size = (max(block_rows, 1), variables[i].shape[1])
            block = rename_like(variables[i], ops.zeros(size))
            part = rebuilt_optimizer(
                self._inner, clipnorm=None, global_clipnorm=None, loss_scale_factor=None
            )
            stateless(part)
            self._exclude(part, [variables[i]], [block])
            part.build([block])
            self._parts.append((part, block, find_places(part, [block])))
        self._clipper = self._make_clipper(len(tables))
        # The clones live on values that they are given: their own would double the memory.
        forget_values([*built_on, *self._whole.variables])

    def _exclude(self, clone: Any, originals: list[Any], variables: list[Any]) -> None:
        """Let ``clone`` spare those ``variables`` whose originals are not to decay."""
        spared = [
            variable
            for original, variable in zip(originals, variables, strict=False)
            if not decays(self._inner, original)
        ]
        if spared:
            inner_optimizer(clone).exclude_from_weight_decay(var_list=spared)

    def _make_clipper(self, tables: int) -> Any:
        """Something that clips norms as the optimizer does, and shows what came out."""
        if not (self._inner.clipnorm or self._inner.global_clipnorm):
            return None
        clipper = stateless(
            keras.optimizers.SGD(
                1.0, clipnorm=self._inner.clipnorm, global_clipnorm=self._inner.global_clipnorm
            )
        )
        clipper.build([keras.Variable(ops.zeros((1, 1))) for _ in range(tables + 1)])
        return clipper

    def slots_of(self, index: int) -> list[int]:
        """Where in ``optimizer.variables`` the slots of a trainable variable are."""
        return self._places.slots[index]

    def rate(self, optimizer_values: list[Any]) -> Any:
        """The learning rate of the step that starts from these values; a scalar."""
        if rows is not None and rows.HAS_VARIABLES:  # which have these values
            return ops.convert_to_tensor(self._inner.learning_rate)
        mapping = list(zip(self._optimizer.variables, optimizer_values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return ops.convert_to_tensor(self._inner.learning_rate)

    def iterations(self, optimizer_values: list[Any]) -> Any:
        """How many updates the optimizer has made; an int32 scalar."""
        return ops.cast(optimizer_values[self._iterations], "int32")  # TensorFlow's have 64 bits

    def shared(self, optimizer_values: list[Any]) -> list[Any]:
        """What the optimizer that updates keeps once, without its rate."""
        return [optimizer_values[place] for place in self._inner_shared]

    @property
    def shared_places(self) -> list[int]:
        """Where among the optimizer's variables that is, which ``apply_rows`` needs."""
        return self._inner_shared

    @property
    def may_skip(self) -> bool:
        """Whether the optimizer skips steps with infinite gradients."""
        return self._scales_loss

    @property
    def sees_norms(self) -> bool:
        """Whether a table's gradient has to be looked at as a whole."""
        return self._scales_loss or self._clipper is not None

    @property
    def may_spoil(self) -> bool:
        """Whether a table's gradient is multiplied by something, which may not be finite."""
        return self.sees_norms or self._inner.loss_scale_factor is not None

    @property
    def is_in_place(self) -> bool:
        """Whether the optimizer itself can update what is dense, in the variables.

        Not where it has to see gradients of tables or would compute something else, and not without
        any gradient: then it would count no step.
        """
        if rows is None or not rows.HAS_VARIABLES:
            return False
        if not self._parts:
            return True
        is_free = bool(self.dense) and not self.sees_norms
        return is_free and is_the_same_in_place(self._inner)

    def apply_in_place(self, gradients: list[Any]) -> None:
        """Update the dense variables, and count the step, if `is_in_place`.

        Rows are to be computed before: what the optimizer keeps once is changed here.
        """
        self._optimizer.apply(gradients, self._dense_variables)

    def apply_dense(
        self,
        optimizer_values: list[Any],
        rate: Any,
        values: list[Any],
        gradients: list[Any],
        norms: list[Any],
    ) -> tuple[list[Any], list[Any]]:
        """Update what is dense, and what the optimizer keeps once.

        Args:
            optimizer_values: of all the optimizer's variables.
            rate: the learning rate.
            values: of the dense variables.
            gradients: of the dense variables.
            norms: of each table's gradient; not finite where that is not.

        Returns:
            the dense variables' new values, and those of all the optimizer's variables, among
            which the tables' slots are as they were.
        """
        pairs = self._pairs()
        given: list[Any] = [None] * len(self._whole.variables)
        for here, there in pairs:
            given[here] = optimizer_values[there]
        given[_place(self._whole_places.rate)] = rate
        given = [
            ops.zeros(variable.shape, variable.dtype) if value is None else value
            for variable, value in zip(self._whole.variables, given, strict=True)
        ]
        zeros = [ops.zeros((1, 1)) for _ in norms]
        stand_ins = [ops.reshape(norm, (1, 1)) for norm in norms]
        new, updated = self._whole.stateless_apply(given, gradients + stand_ins, values + zeros)
        result = list(optimizer_values)
        for here, there in pairs:
            result[there] = updated[here]
        return new[: len(values)], result

    def _pairs(self) -> list[tuple[int, int]]:
        """Places in the dense part beside those in the whole optimizer."""
        whole, original = self._whole_places, self._places
        pairs = list(zip(whole.shared, original.shared, strict=True))
        for number, index in enumerate(self.dense):
            pairs += zip(whole.slots[number], original.slots[index], strict=True)
        return pairs

    def factors(
        self, optimizer_values: list[Any], gradients: list[Any], norms: list[Any]
    ) -> list[Any]:
        """What each table's gradient is multiplied by before its rows are updated; scalars.

        None where there is nothing to do. The arguments are as in ``apply_dense``.
        """
        scale = self._inner.loss_scale_factor
        if self._scales_loss:
            place = _index_of(self._optimizer.dynamic_scale, self._optimizer.variables)
            scale = optimizer_values[_place(place)]
        unscale = None if scale is None else 1 / scale
        if self._clipper is None:
            return [unscale for _ in norms]
        if unscale is None:
            unscale = 1.0
        rest = ops.sqrt(sum((ops.sum(ops.square(g)) for g in gradients), ops.zeros(())))
        sizes = [ops.reshape(size * unscale, (1, 1)) for size in [*norms, rest]]
        zero = [ops.zeros((1, 1)) for _ in sizes]
        state = [variable.value for variable in self._clipper.variables]
        clipped, _ = self._clipper.stateless_apply(state, sizes, zero)
        # Keras divides by an infinite norm, and what is finite becomes 0; by a global one, NaN.
        lost = 0.0 if self._inner.clipnorm else float("nan")
        factors = []
        for size, negative in zip(sizes[:-1], clipped[:-1], strict=True):
            share = ops.where(size > 0, -negative / ops.where(size > 0, size, 1.0), 1.0)
            share = ops.where(ops.isinf(size), lost, ops.where(ops.isnan(size), size, share))
            if not self._inner.clipnorm:
                share = ops.where(ops.isfinite(sum(s[0, 0] for s in sizes)), share, lost)
            factors.append(share[0, 0] * unscale)
        return factors

    def apply_rows(
        self,
        table: int,
        optimizer_values: Any,
        rate: Any,
        rows: Any,
        slots: list[Any],
        gradients: Any,
    ) -> tuple[Any, list[Any]]:
        """Update a block of rows (m, d) of table number ``table``, and their slots."""
        part, block, places = self._parts[table]
        if tuple(rows.shape) != tuple(block.shape):  # where no shape has to be known before
            of_rows = [block, *(part.variables[place] for place in places.slots[0])]
            give_shape(of_rows, tuple(rows.shape))
        values: list[Any] = [None] * len(part.variables)
        for place, shared in zip(places.shared, self._inner_shared, strict=True):
            values[place] = optimizer_values[shared]
        values[_place(places.rate)] = rate
        for place, slot in zip(places.slots[0], slots, strict=True):
            values[place] = slot
        (new,), updated = applied(part, values, [gradients], [rows])
        return new, [updated[place] for place in places.slots[0]]


def _with_actual_rate(places: Places, optimizer: Any) -> Places:
    """The places of ``optimizer`` itself, whose rate may be a schedule and have none.

    A clone always has one, so what comes behind it stands one place earlier without.
    """
    rate = _rate_place(optimizer)
    if rate is not None:
        return Places(places.shared, rate, places.slots)
    gap = _place(places.rate)

    def moved(found: list[int]) -> list[int]:
        return [place - (place > gap) for place in found]

    return Places(moved(places.shared), None, [moved(slots) for slots in places.slots])


def _place(found: int | None) -> int:
    assert found is not None
    return found
