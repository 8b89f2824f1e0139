"""`python -m fornet_hf` is the command `fornet`."""

import sys

from fornet_hf.cli import main

if __name__ == "__main__":
    sys.exit(main())
