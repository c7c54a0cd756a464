"""The optimizer of a recipe: SGD, its learning rate by a schedule, its weights decayed and averaged where asked."""

from typing import Any

import keras

from training.recipes import Recipe

_UNDECAYED = ("bias", "gamma", "beta")  # a network is not simpler for having small ones


def make_optimizer(recipe: Recipe, steps: int, sgd: Any = keras.optimizers.SGD) -> Any:
    """A keras.optimizers.SGD, or a class made of it, for a run of so many steps."""
    optimizer = sgd(
        _schedule(recipe, steps),
        recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay or None,
        use_ema=bool(recipe.averaging),
        ema_momentum=recipe.averaging,
    )
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=_UNDECAYED)
    return optimizer


def _schedule(recipe: Recipe, steps: int) -> Any:
    """A number, or a cosine from the highest rate to 0 (Loshchilov and Hutter, arXiv:1608.03983) after a warm-up."""
    if recipe.schedule == "constant":
        return recipe.learning_rate
    warmup = round(steps * recipe.warmup)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=recipe.learning_rate, warmup_steps=warmup
    )
