from fornet_hf.format.encoding import Encoding
from producers.registry import Choice
from producers.work.settings import ModelSettings


def test_a_run_goes_on_with_the_commits_that_it_began_with():
    asked = ModelSettings(
        detector=Choice("grounding-dino"),
        segmenter=Choice("sam-hf", None, "main"),
        infiller=Choice("opencv"),
        encoding=Encoding(),
    )
    noted = {"detector": {"revision": "c" * 40}, "segmenter": {"revision": "d" * 40}, "infiller": {"revision": "5.0"}}
    begun = asked.as_begun(noted)
    assert begun.detector == Choice("grounding-dino", None, "c" * 40)
    assert (begun.segmenter, begun.infiller) == (asked.segmenter, asked.infiller)
    assert asked.as_begun({}) == asked
