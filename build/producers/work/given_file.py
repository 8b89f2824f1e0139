"""JSON files that users hand to a run: their content, and the digest by which the run notes them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from fornet_hf.errors import ConfigurationError, NotFoundError, explain


def read_given(path: Path, what: str) -> tuple[object, str]:
    """Return the value in a JSON file, and the SHA-256 of its bytes as 64 hexadecimal digits.

    Raises:
        NotFoundError: there is no such file; the message calls it the file of `what`.
        ConfigurationError: it is not JSON.
    """
    if not path.is_file():
        raise NotFoundError(explain(f"the file of {what} is missing", found=f"no file {path}"))
    data = path.read_bytes()
    try:
        return json.loads(data), hashlib.sha256(data).hexdigest()
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(explain(f"{path}: not valid JSON", found=error)) from error
