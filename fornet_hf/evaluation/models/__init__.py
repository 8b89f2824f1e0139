"""Classifiers by name: of a library or a function, with their own weights, a checkpoint or an adapter.

    timm:NAME, torchvision:NAME[@WEIGHTS], hf:NAMESPACE/NAME[@REVISION], hf:FOLDER,
    torchhub:OWNER/REPO:REF/NAME, package.module:function; each also with =CHECKPOINT

names           what a name means
of_timm         ... and so on: a library's networks, and the images they expect
checkpoints     weights in files, loaded strictly
adapters        weights that were trained on top of others
loading         all of it together
"""

from fornet_hf.evaluation.models.loading import build, load, pretrained
from fornet_hf.evaluation.models.names import FORMS, parse_name

__all__ = ["FORMS", "build", "load", "parse_name", "pretrained"]
