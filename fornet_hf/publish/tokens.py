"""No token is ever published: texts that hold one are refused, messages are freed of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from fornet_hf.errors import ConfigurationError, explain

# A user access token of the Hub is hf_ and 34 letters and digits; older ones begin with api_org_.
_TOKEN = re.compile(rb"(?:hf_|api_org_)[A-Za-z0-9]{30,}")
_HIDDEN = "hf_(hidden)"


def refuse_tokens(files: Mapping[str, Path | bytes], own: str | None) -> None:
    """Look for tokens in files.

    Args:
        files: by the path that messages name; they are read whole.
        own: the token in use, whatever it looks like.

    Raises:
        ConfigurationError: a file holds a token, which the message does not repeat.
    """
    for path, content in files.items():
        data = content if isinstance(content, bytes) else content.read_bytes()
        match = _TOKEN.search(data)
        at = match.start() if match else data.find(own.encode()) if own else -1
        if at >= 0:
            line = data.count(b"\n", 0, at) + 1
            then = "Remove it, and revoke the token on https://huggingface.co/settings/tokens if others could see it."
            raise ConfigurationError(explain(f"{path}, line {line}: this looks like an access token", then=then))


def without_token(text: str, own: str | None) -> str:
    """The text with everything that is or looks like a token replaced."""
    text = text.replace(own, _HIDDEN) if own else text
    return _TOKEN.sub(_HIDDEN.encode(), text.encode()).decode()
