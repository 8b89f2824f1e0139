"""segment.py and select_versions.py, end to end on small real images with the weights-free pair."""

import dataclasses
import hashlib
import json
import subprocess
import sys

import pytest

import segment
import select_versions
from fornet_hf.errors import IntegrityError
from fornet_hf.format.manifest import read_manifest
from fornet_hf.format.patch import apply_patch
from fornet_hf.format.shards import PatchShard
from fornet_hf.processes import InlineExecutor
from producers.tasks.candidate_shards import CandidateShard
from producers.tasks.select import Selection, select_shard
from producers.work.plan import Labelled, plan
from producers.work.run_folder import CandidateFolder, RunFolder


def run(images, boxes, out, *more):
    models = ["--detector", f"boxes={boxes}", "--segmenter", "grabcut", "--infiller", "opencv"]
    common = ["--precision", "float32", "--gpus", "0", "--workers", "1", "--shards", "1"]
    return segment.main([str(images), str(out), *models, *common, *more])


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.parquet")}


def test_images_become_candidates_patches_rows_and_recombinations(image_folder, tmp_path, capsys):
    from fornet_hf import load_dataset

    images, boxes = image_folder
    assert run(images, boxes, tmp_path / "run") == 0
    assert "5 ok, 0 no_detect, 1 error" in capsys.readouterr().out
    words = [str(tmp_path / "run"), str(images), str(tmp_path / "out"), "--gpus", "0", "--workers", "0"]
    assert select_versions.main([*words, "--classifiers"]) == 0
    patches = tmp_path / "out" / "patches"
    manifest = read_manifest(patches)
    assert manifest.producer["segmenter"]["name"] == "grabcut"
    assert [entry.rows for entries in manifest.splits.values() for entry in entries] == [4, 1]
    dataset = load_dataset(patches=patches, imagenet_dir=images, cache_dir=tmp_path / "cache")
    assert len(dataset["train"]) == 4
    pytest.importorskip("torch", reason="recombining needs torch")
    recombined = load_dataset(
        patches=patches, imagenet_dir=images, cache_dir=tmp_path / "cache", background_combination="all"
    )["train"][0]
    assert recombined["label"] == dataset["train"][0]["label"]


def test_several_processes_make_the_same(image_folder, tmp_path):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path / "one", "--split", "train", "--shards", "2", "--window", "1") == 0
    more = ["--processes", "2", "--workers", "2"]
    assert run(images, boxes, tmp_path / "two", "--split", "train", "--shards", "2", *more) == 0
    assert digests(tmp_path / "one" / "candidates") == digests(tmp_path / "two" / "candidates")
    assert [len(list((tmp_path / name / "logs").iterdir())) for name in ("one", "two")] == [1, 2]


def test_candidates_say_how_they_were_found_and_apply_to_their_images(image_folder, tmp_path):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path) == 0
    (task,) = plan(images, ["validation"], 1)
    shard = CandidateShard(CandidateFolder(tmp_path).shard(task))
    ((candidate,),) = shard.by_image()
    (image,) = (one for one in task.read() if isinstance(one, Labelled))
    assert (candidate.version, candidate.score) == (0, 1.0)
    assert candidate.prompt.startswith(("a ", "an "))
    assert ", a type of " in candidate.prompt
    row = apply_patch(image.data, candidate.patch, shard.encoding)
    assert row.background is not None


def test_objects_are_asked_for_and_kept_as_the_options_say(image_folder, tmp_path):
    """And the run notes it, so that it goes on with nothing else, and the release says so."""
    images, boxes = image_folder
    (wnid,) = (path.name for path in (images / "val").iterdir())
    prompts = tmp_path / "prompts.json"
    prompts.write_text(json.dumps({wnid: ["a thing."]}))
    options = ["--prompts", str(prompts), "--parents", "1", "--merge-threshold", "0.8", "--versions", "best"]
    assert run(images, boxes, tmp_path / "run", *options) == 0
    (task,) = plan(images, ["validation"], 1)
    ((candidate,),) = CandidateShard(CandidateFolder(tmp_path / "run").shard(task)).by_image()
    assert candidate.prompt == "a thing."
    noted = json.loads((tmp_path / "run" / "run.json").read_text())["producer"]
    assert noted["merging"] == {"threshold": 0.8, "keep": "best"}
    assert (noted["prompts"]["parents"], len(noted["prompts"]["file"])) == (1, len("sha256:") + 64)
    assert run(images, boxes, tmp_path / "run") == 1
    words = [str(tmp_path / "run"), str(images), str(tmp_path / "out"), "--gpus", "0", "--workers", "0"]
    assert select_versions.main([*words, "--classifiers"]) == 0
    producer = read_manifest(tmp_path / "out" / "patches").producer
    assert (producer["prompts"], producer["merging"]) == (noted["prompts"], noted["merging"])


def test_backgrounds_that_betray_their_objects_are_left_out(image_folder, tmp_path, capsys):
    """The objects stay, and the manifest says what was left out; a table without a limit is refused."""
    images, boxes = image_folder
    assert run(images, boxes, tmp_path / "run") == 0
    words = [str(tmp_path / "run"), str(images), str(tmp_path / "out"), "--gpus", "0", "--workers", "0"]
    select = [*words, "--classifiers", "--source-name", "test"]
    assert select_versions.main([*select[:2], str(tmp_path / "all"), *select[3:]]) == 0
    (shard,) = (tmp_path / "all" / "patches").glob("train*")
    keys = list(PatchShard(shard, shard.name).keys)
    table = tmp_path / "leakage.csv"
    rows = [f"{key},thing,{score},0,0" for key, score in zip(keys, (5.0, 3.0, 1.0, -1.0), strict=True)]
    table.write_text("\n".join(["key,class,score,area,rim", *rows]))
    assert select_versions.main([*select, "--leakage", str(table)]) == 1
    assert "--leakage and --max-leakage is not allowed" in capsys.readouterr().err
    assert select_versions.main([*select, "--leakage", str(table), "--max-leakage", "3"]) == 0
    patches = tmp_path / "out" / "patches"
    left = {patch.key: patch for path in patches.glob("*.parquet") for patch in PatchShard(path, path.name)}
    assert len(left) == 5
    assert all(patch.mask is not None for patch in left.values())
    assert [key for key, patch in left.items() if patch.delta is None] == keys[:1]
    noted = read_manifest(patches).producer["max_leakage"]
    assert (noted["score"], noted["left_out"]) == (3.0, 1)
    assert select_versions.main(select) == 1
    assert "this folder holds a run with another" in capsys.readouterr().err


def test_prompts_for_a_class_that_is_not_there_are_refused(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    prompts = tmp_path / "prompts.json"
    prompts.write_text('{"red_fox": ["a fox."]}')
    assert run(images, boxes, tmp_path / "out", "--prompts", str(prompts)) == 1
    assert "names classes that are not there; found ['red_fox']" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_second_run_does_nothing_and_changes_nothing(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path) == 0
    before = digests(tmp_path / "candidates")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "candidates").iterdir()}
    assert run(images, boxes, tmp_path) == 0
    assert digests(tmp_path / "candidates") == before
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "candidates").iterdir()} == times
    assert "2 of 2 shards are finished already" in capsys.readouterr().err


def test_parts_of_an_array_together_make_the_whole(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path / "whole") == 0
    for index in ("1", "0"):
        assert not (tmp_path / "parts" / "report.json").exists()
        assert run(images, boxes, tmp_path / "parts", "--shard-index", index, "--shard-count", "2") == 0
    assert capsys.readouterr().err.count("1 of 2 shards are left to other commands") == 1
    assert digests(tmp_path / "parts" / "candidates") == digests(tmp_path / "whole" / "candidates")
    outcomes = [json.loads((tmp_path / name / "report.json").read_text())["outcomes"] for name in ("whole", "parts")]
    assert outcomes[0] == outcomes[1]


def test_windows_and_processes_do_not_change_the_candidates(image_folder, tmp_path):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path / "one", "--window", "128", "--workers", "0") == 0
    assert run(images, boxes, tmp_path / "two", "--window", "1", "--workers", "2") == 0
    assert digests(tmp_path / "one" / "candidates") == digests(tmp_path / "two" / "candidates")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--segmenter", "scissors"], "unknown segmenter"),
        (["--shard-index", "2", "--shard-count", "2"], "--shard-index"),
        (["--detector", "boxes"], "--detector boxes=FILE"),
        (["--detector", "boxes=nothing.json"], "no file nothing.json"),
        (["--max-side", "9"], "max_side"),
        (["--precision", "bf16"], "unknown precision; found 'bf16'"),
        (["--segmenter", "sam@huge"], "unknown revision of the segmenter sam"),
        (["--segmenter", "sam=nothing.pth"], "no file nothing.pth"),
        (["--infiller", "lama=nothing.pt"], "no file nothing.pt"),
        (["--threshold", "0.5"], "the detector boxes has no scores; found --threshold"),
        (
            ["--detector", "owlv2", "--text-threshold", "0.5"],
            "the detector owlv2 has no scores of single words; found",
        ),
        (["--detector", "grounding-dino", "--text-threshold", "1.5"], "--text-threshold; found 1.5; allowed: 0 to 1"),
        (["--merge-threshold", "90"], "threshold of merging; found 90"),
        (["--prompts", "nothing.json"], "no file nothing.json"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(image_folder, tmp_path, capsys, words, message):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path / "out", *words) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_bad_number_of_workers_is_refused_before_anything_is_written(image_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MAX_WORKERS", "many")
    images, boxes = image_folder
    assert run(images, boxes, tmp_path / "out") == 1
    assert "MAX_WORKERS" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_goes_on_only_with_its_own_settings(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path) == 0
    assert run(images, boxes, tmp_path, "--dilation", "3") == 1
    assert "another encoding" in capsys.readouterr().err


def test_other_boxes_under_the_same_name_are_noticed(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path, "--split", "train") == 0
    boxes.write_text(boxes.read_text().replace("0.", "0.0", 1))
    assert run(images, boxes, tmp_path) == 1
    assert "this run uses other models" in capsys.readouterr().err


def test_selecting_waits_for_all_shards(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path / "run", "--shard-index", "0", "--shard-count", "2") == 0
    words = [str(tmp_path / "run"), str(images), str(tmp_path / "out"), "--gpus", "0", "--classifiers"]
    assert select_versions.main(words) == 1
    assert "1 of 2 shards are not segmented" in capsys.readouterr().err


def test_selecting_needs_the_images_of_the_run(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path / "run") == 0
    next((images / "train").rglob("n*.JPEG")).unlink()
    words = [str(tmp_path / "run"), str(images), str(tmp_path / "out"), "--gpus", "0", "--classifiers"]
    assert select_versions.main(words) == 1
    assert "made of other images" in capsys.readouterr().err


def test_selecting_in_parts_or_on_ray_gives_the_same_release(image_folder, tmp_path):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path / "run") == 0

    def words(out, *more):
        places = [str(tmp_path / "run"), str(images), str(tmp_path / out)]
        return [*places, "--gpus", "0", "--workers", "0", "--classifiers", *more]

    def select(*more):
        return select_versions.main(words(*more))

    assert select("whole") == 0
    for index in ("1", "0"):
        assert not (tmp_path / "parts" / "patches" / "manifest.json").exists()
        assert select("parts", "--shard-index", index, "--shard-count", "2") == 0
    manifest = read_manifest(tmp_path / "whole" / "patches")
    assert read_manifest(tmp_path / "parts" / "patches") == manifest
    assert select("parts", "--shard-index", "2", "--shard-count", "2") == 1
    pytest.importorskip("ray", reason="this engine needs Ray")
    # Ray's threads would go on in this process, and other tests fork theirs from it.
    subprocess.run([sys.executable, select_versions.__file__, *words("ray", "--engine", "ray")], check=True)
    assert read_manifest(tmp_path / "ray" / "patches") == manifest


def words_of(image_folder, tmp_path):
    """Own classes, segmented; the words that select."""
    images, boxes = image_folder
    for index, path in enumerate(sorted((images / "train").iterdir())):
        path.rename(path.with_name(f"class_{index}"))
    for path in (images / "val").iterdir():
        path.rename(path.with_name("class_1"))
    assert run(images, boxes, tmp_path / "run") == 0
    return [str(tmp_path / "run"), str(images), str(tmp_path / "out"), "--gpus", "0", "--classifiers"]


def test_selecting_needs_the_classes_of_the_run(image_folder, tmp_path, capsys):
    """A class that was added to another split shifts the labels of this one."""
    words = words_of(image_folder, tmp_path)
    known = json.loads((tmp_path / "run" / "run.json").read_text())
    known["splits"].pop("validation")
    (tmp_path / "run" / "run.json").write_text(json.dumps(known))
    added = image_folder[0] / "val" / "a_class"
    added.mkdir()
    (added / "new.jpg").touch()
    assert select_versions.main(words) == 1
    assert "the run was made with other classes; found a_class" in capsys.readouterr().err


def test_candidates_with_another_label_than_their_image_are_refused(image_folder, tmp_path):
    """As in a run whose run.json was written by hand."""
    words_of(image_folder, tmp_path)
    (task,) = plan(image_folder[0], ["validation"], 1)
    shifted = dataclasses.replace(task, classes=("a_class", *task.classes))
    selection = Selection(witnesses=None, pool=InlineExecutor())
    candidates = CandidateShard(CandidateFolder(tmp_path / "run").shard(task))
    with pytest.raises(IntegrityError, match="found 1; allowed: 2"):
        select_shard(shifted, candidates, selection, RunFolder(tmp_path / "out"), [])
    select_shard(task, candidates, selection, RunFolder(tmp_path / "out"), [])


def test_settings_of_models_are_noted_and_a_run_goes_on_with_no_others(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    given = ["--set", "infiller.method=ns", "--set", "segmenter.iterations=1", "--set", "infiller.feather=8"]
    assert run(images, boxes, tmp_path, *given) == 0
    noted = json.loads((tmp_path / "run.json").read_text())["producer"]
    assert noted["settings"] == {"segmenter": {"iterations": 1}, "infiller": {"method": "ns"}}
    models = json.loads((tmp_path / "models.json").read_text())
    assert models["infiller"]["settings"] == {"feather": 8, "method": "ns", "working_side": 128}
    capsys.readouterr()
    assert run(images, boxes, tmp_path, *given[:2]) == 1
    assert "run with another producer; found {'settings': {'infiller': {'method': 'ns'}}}" in capsys.readouterr().err
    assert run(images, boxes, tmp_path, *given[:4]) == 0


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--set", "iterations=1"], 2, "'iterations=1' is not like segmenter.steps=40"),
        (["--set", "painter.size=1"], 1, "no such model in this chain; found painter; allowed: settings of detector"),
        (["--set", "detector.size=1"], 1, "the detector boxes has no settings; found size"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_written(
    image_folder, tmp_path, capsys, words, status, message
):
    images, boxes = image_folder
    try:
        found = run(images, boxes, tmp_path / "run", *words)
    except SystemExit as left:
        found = left.code
    assert found == status
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def masks_of(images, folder):
    (task,) = plan(images, ["validation"], 1)
    shard = CandidateShard(CandidateFolder(folder).shard(task))
    return [one.patch.mask for versions in shard.by_image() for one in versions]


def test_masks_are_refined_by_the_runs_infiller_or_another_and_the_run_notes_it(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    common = ["--split", "validation"]
    assert run(images, boxes, tmp_path / "own", *common, "--refine", "inpaint-difference") == 0
    other = [*common, "--refine", "inpaint-difference=opencv", "--set", "refiner.infiller.method=ns"]
    assert run(images, boxes, tmp_path / "other", *other) == 0
    assert masks_of(images, tmp_path / "own") != masks_of(images, tmp_path / "other")
    noted = json.loads((tmp_path / "own" / "models.json").read_text())
    assert noted["refiner"]["name"] == "inpaint-difference"
    noted = json.loads((tmp_path / "other" / "models.json").read_text())
    assert noted["refiner"]["settings"]["infiller.method"] == "ns"
    noted = json.loads((tmp_path / "other" / "run.json").read_text())["producer"]
    assert noted["refiner"] == "inpaint-difference=opencv"
    assert noted["settings"] == {"refiner": {"infiller.method": "ns"}}
    capsys.readouterr()
    assert run(images, boxes, tmp_path / "own", *common) == 1
    assert "this folder holds a run with another producer" in capsys.readouterr().err


def test_an_object_is_looked_for_in_all_images(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    assert run(images, boxes, tmp_path, "--split", "validation", "--object", "owl") == 0
    (task,) = plan(images, ["validation"], 1)
    ((candidate,),) = CandidateShard(CandidateFolder(tmp_path).shard(task)).by_image()
    assert candidate.prompt == "an owl."
    assert json.loads((tmp_path / "run.json").read_text())["producer"]["prompts"] == {"objects": ["owl"]}
    with pytest.raises(SystemExit):
        run(images, boxes, tmp_path, "--object", "owl", "--prompts", "prompts.json")
    assert "not allowed with argument --object" in capsys.readouterr().err
