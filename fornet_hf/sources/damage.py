"""What reading a Parquet file of images may raise, as errors that name it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from fornet_hf.errors import ForNetError, NotFoundError, SourceError, explain

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def damage_named(name: object) -> Iterator[None]:
    """Around reading the Parquet file that errors call `name`.

    Raises:
        NotFoundError: if there is no such file.
        SourceError: if it is damaged.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"no Parquet file {name}") from error
    except ForNetError:
        raise  # the file is on the Hub, and could not be read there
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # a failing disk or connection: the file itself may be sound
        raise SourceError(
            explain(f"{name} cannot be read as Parquet", found=error, then="Download it again.")
        ) from error
