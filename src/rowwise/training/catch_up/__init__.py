"""Catching up rows that rested: what a dense optimizer did to them meanwhile, in closed form.

``find_catch_up`` says which form belongs to an optimizer, or why there is none. The formulas were
derived for Keras's own optimizers; each module states its own.
"""

from rowwise.training.catch_up.choose import find_catch_up
from rowwise.training.catch_up.form import CatchUp, Factors, Now, Step
from rowwise.training.catch_up.tails import Lazy

__all__ = ["CatchUp", "Factors", "Lazy", "Now", "Step", "find_catch_up"]
