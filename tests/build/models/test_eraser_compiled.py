"""The compiled network, by a compiler that runs what it is given: graphs are counted, results compared."""

from functools import partial

import numpy as np
import pytest
import torch

pytest.importorskip("diffusers", reason="Attentive Eraser needs diffusers")

from producers.devices.placement import ON, Placement
from producers.infill.attentive_eraser import AttentiveEraser
from producers.infill.eraser_settings import EraserSettings
from tests.build import tiny_models

SHAPES = [(60, 90), (90, 60), (90, 60), (50, 96), (63, 92)]  # batches of 3 and 2


@pytest.fixture
def graphs(monkeypatch):
    """The graphs which are compiled from here on."""
    found = []

    def compiler(graph, _):
        found.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=compiler, fullgraph=True))
    torch._dynamo.reset()
    yield found
    torch._dynamo.reset()


@pytest.mark.slow
def test_one_graph_serves_all_steps_and_sizes(graphs):
    rng = np.random.default_rng(4)
    rasters = [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in SHAPES]
    holes = [np.zeros(shape, bool) for shape in SHAPES]
    for hole in holes:
        hole[10:40, 20:50] = True

    def infilled(speedups):
        settings = EraserSettings(side=96, steps=5, suppressed_steps=1)
        placement = Placement(speedups=speedups)
        return AttentiveEraser(*tiny_models.sdxl_inpainting(), placement, settings=settings).infill(rasters, holes)

    compiled = infilled(ON | {"compile"})
    assert len(graphs) == 1
    for fast, plain in zip(compiled, infilled(ON), strict=True):
        assert np.abs(fast.astype(int) - plain).max() <= 1
