"""Measuring classifiers: their biases, and how sure each number is. From top to bottom:

functions       each measure as a function
evaluating      the whole evaluation; measuring: at work
choosing        the measures of it; subjects: the classifiers, as callers give them
report          the page
results         the table, and the block of a model card
measures, challenge, saliency, masks    numbers from answers, from composites, from what a classifier looks at
answers         of classifiers to stimuli
variants        of ImageNet-9, made from rows
data            opened by its name
stimuli         rows in conditions
labels          from a classifier's classes to those of the data
models          classifiers by name, and the images they expect
statistics      values and intervals

The names below are imported when they are first used.
"""

from fornet_hf.packages import lazy

_HOMES = {
    "Bootstrap": "statistics.bootstrap",
    "Classifier": "models.classifier",
    "EvaluationConfig": "configuration",
    "ForegroundFocus": "measures.focus",
    "Preprocessing": "models.preprocessing",
    "Results": "results.results",
    "Rows": "stimuli.rows",
    "SaliencyConfig": "saliency.configuration",
    "evaluate": "evaluating",
    "load": "models.loading",
    "open_data": "data.opening",
    **dict.fromkeys(
        (
            "accuracy",
            "background_robustness",
            "centre_bias",
            "challenge_accuracy",
            "foreground_focus",
            "imagenet9",
            "relative_foreground_sensitivity",
            "size_bias",
        ),
        "functions",
    ),
}

__getattr__, __dir__ = lazy(__name__, _HOMES)
