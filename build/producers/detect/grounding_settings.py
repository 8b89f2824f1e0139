"""Settings of GroundingDINO and its relatives, which are known without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class GroundingSettings:
    """A way to ask for prompts.

    Attributes:
        together: whether all prompts of an image are sentences of one text, unless the model cannot read one so long.
            It looks at an image once then, not once for each prompt, and finds other boxes: its 900 are for all
            prompts, and the score of a box for a prompt is that of the best of the prompt's own tokens.
    """

    together: bool = False
