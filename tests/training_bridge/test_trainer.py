from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from curate.errors import InputError, OutputError, RecipeError
from curate.registry import TRAINERS, load
from training_bridge import checkpoint
from training_bridge.loop import Training
from training_bridge.shards import open_shards
from training_bridge.trainer import CompactTrainer

TINY = CompactTrainer(
    layers=1, width=32, heads=2, seq_len=32, batch_tokens=256, steps=12, warmup_steps=3, lr=0.01, eval_every=5,
    eval_tokens=2000, log_every=1, checkpoint_every=4, device="cpu", threads=1,
)  # fmt: skip


class Stopped(Exception):  # noqa: N818  # it stands for a power cut, not for an error
    pass


def stop_at(step):
    def progress(record):
        if record["kind"] == "train" and record["step"] == step:
            raise Stopped

    return progress


def weights(folder):
    return load_file(folder / "model" / "model.safetensors")


def records(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def without_rates(lines):
    return [{key: value for key, value in line.items() if key != "tokens_per_second"} for line in lines]


@pytest.fixture(scope="module")
def whole(corpus, tmp_path_factory):
    """A run that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, TINY.train(str(corpus.folder), str(folder))


def test_the_registry_knows_it():
    assert load(TRAINERS, "compact", what="trainer") is CompactTrainer


def test_two_threads_resume_bit_for_bit_too(corpus, tmp_path):
    settings = TINY.model_copy(update={"threads": 2, "steps": 3, "checkpoint_every": 1})
    settings.train(str(corpus.folder), str(tmp_path / "whole"))
    with pytest.raises(Stopped):
        settings.train(str(corpus.folder), str(tmp_path / "stopped"), progress=stop_at(2))
    settings.train(str(corpus.folder), str(tmp_path / "stopped"))
    expected, found = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.parametrize("stops", [(1,), (4,), (5,), (11,), (2, 6, 9)])
def test_a_run_that_was_stopped_ends_with_the_same_weights_bit_for_bit(corpus, tmp_path, whole, stops):
    for step in stops:
        with pytest.raises(Stopped):
            TINY.train(str(corpus.folder), str(tmp_path), progress=stop_at(step))
    TINY.train(str(corpus.folder), str(tmp_path))
    expected, found = weights(whole[0]), weights(tmp_path)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert without_rates(records(tmp_path)) == without_rates(records(whole[0]))


def test_weights_that_differ_in_one_bit_would_be_noticed(corpus, tmp_path, whole):
    TINY.model_copy(update={"seed": 1}).train(str(corpus.folder), str(tmp_path))
    assert not torch.equal(weights(whole[0])["embedding.weight"], weights(tmp_path)["embedding.weight"])


def test_a_stop_between_the_last_checkpoint_and_the_summary_loses_nothing(corpus, tmp_path, whole):
    TINY.train(str(corpus.folder), str(tmp_path))
    (tmp_path / "summary.json").unlink()
    assert TINY.train(str(corpus.folder), str(tmp_path))["val_loss"] == whole[1]["val_loss"]


def test_a_finished_run_is_not_run_again(corpus, whole):
    again = TINY.train(str(corpus.folder), str(whole[0]), progress=stop_at(1))
    assert again == json.loads((whole[0] / "summary.json").read_text()) == whole[1]


def test_the_time_budget_stops_a_run_which_then_goes_on(corpus, tmp_path, whole):
    hurried = TINY.model_copy(update={"max_seconds": 1e-6})
    first = hurried.train(str(corpus.folder), str(tmp_path))
    assert (first["finished"], first["stopped_by"], first["step"]) == (False, "max_seconds", 1)
    last = TINY.train(str(corpus.folder), str(tmp_path))
    assert (last["finished"], last["stopped_by"], last["step"]) == (True, "steps", 12)
    assert last["val_loss"] == whole[1]["val_loss"]


def test_another_run_in_the_folder_is_refused_and_named(corpus, tmp_path):
    with pytest.raises(Stopped):
        TINY.train(str(corpus.folder), str(tmp_path), progress=stop_at(1))
    other = TINY.model_copy(update={"lr": 0.02})
    with pytest.raises(OutputError, match=r"lr: 0\.01 there, 0.02 wanted"):
        other.train(str(corpus.folder), str(tmp_path))
    assert other.train(str(corpus.folder), str(tmp_path), resume=False)["settings"]["lr"] == 0.02


def test_a_folder_with_other_things_is_left_alone(corpus, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    for resume in (True, False):
        with pytest.raises(OutputError, match="not a training run"):
            TINY.train(str(corpus.folder), str(tmp_path), resume=resume)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_other_tokens_are_another_run(writer, corpus, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(Stopped):
        TINY.train(str(corpus.folder), str(out), progress=stop_at(1))
    folder = writer({"train": [[[*range(1, 300), 0]]], "val": [[[1, 2, 0]]]})
    with pytest.raises(OutputError, match="tokens:"):
        TINY.train(str(folder), str(out))


def test_it_learns_what_no_unigram_model_knows(corpus, tmp_path):
    settings = TINY.model_copy(
        update={"warmup_steps": 10, "width": 64, "steps": 120, "batch_tokens": 512, "lr": 0.02, "eval_tokens": 8000}
    )
    summary = settings.train(str(corpus.folder), str(tmp_path))
    assert summary["val_loss"] < summary["own_unigram_loss"] - 0.3
    assert summary["val_bits_per_byte"] < 0.95 * summary["own_unigram_bits_per_byte"]


def test_metrics_and_summary_say_what_happened(corpus, whole):
    folder, summary = whole
    train = [record for record in records(folder) if record["kind"] == "train"]
    assert [record["step"] for record in train] == list(range(1, 13))
    assert [record["tokens"] for record in train] == [256 * step for step in range(1, 13)]
    assert [record["lr"] for record in train] == [TINY.lr_at(step) for step in range(12)]
    assert train[0]["loss"] == pytest.approx(5.95, abs=0.15)  # ln 384
    assert [record["step"] for record in records(folder) if record["kind"] == "val"] == [5, 10, 12]
    assert summary["val_documents"] <= len(corpus.texts["val"])
    assert summary["val_bytes"] == sum(len(text.encode()) for text in corpus.texts["val"][: summary["val_documents"]])
    assert set(summary["sources"]) <= {"first", "second"}
    assert summary["epochs"] == pytest.approx(12 * 256 / len(corpus.tokens["train"]), rel=0.02)


def test_accumulated_gradients_are_those_of_the_whole_batch(corpus):
    def gradients(micro):
        settings = TINY.model_copy(update={"micro_batch_tokens": micro})
        training = Training(settings, open_shards(corpus.folder), torch.device("cpu"))
        loss = training._accumulate(0)
        return loss, [parameter.grad for parameter in training.model.parameters()]

    loss, expected = gradients(256)
    for micro in (32, 96):  # 96: three windows at a time do not divide eight
        again, found = gradients(micro)
        assert again == pytest.approx(loss, abs=1e-5)
        for a, b in zip(expected, found, strict=True):
            torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4)


def test_norms_and_embeddings_are_not_decayed(corpus):
    training = Training(TINY, open_shards(corpus.folder), torch.device("cpu"))
    names = {id(parameter): name for name, parameter in training.model.named_parameters()}
    decayed, free = training.optimizer.param_groups
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)
    free_names = {names[id(parameter)] for parameter in free["params"]}
    assert free_names == {name for name in names.values() if "norm" in name or "embedding" in name}
    assert len(decayed["params"]) + len(free["params"]) == len(names)


def test_steps_follow_a_hand_written_adamw(corpus):
    training = Training(TINY, open_shards(corpus.folder), torch.device("cpu"))
    gain, matrix = training.model.norm.gain, training.model.blocks[0].attention.out.weight
    values = {p: p.detach().clone() for p in (gain, matrix)}
    first, second = ({p: torch.zeros_like(p) for p in values} for _ in range(2))
    for step in range(3):
        record = training.step()
        for p, decay in ((gain, 0.0), (matrix, 0.1)):
            first[p] = 0.9 * first[p] + 0.1 * p.grad  # after clipping, as the optimizer saw it
            second[p] = 0.95 * second[p] + 0.05 * p.grad**2
            update = (first[p] / (1 - 0.9 ** (step + 1))) / ((second[p] / (1 - 0.95 ** (step + 1))).sqrt() + 1e-8)
            values[p] = values[p] - record["lr"] * (decay * values[p] + update)
            torch.testing.assert_close(p.detach(), values[p], atol=1e-5, rtol=1e-4)
        norm = torch.stack([p.grad.norm() for p in training.model.parameters()]).norm()
        assert float(norm) == pytest.approx(min(record["grad_norm"], 1.0), rel=1e-3)


def test_a_loss_that_is_no_number_stops_the_run(corpus, tmp_path):
    training = Training(TINY, open_shards(corpus.folder), torch.device("cpu"))
    with torch.no_grad():
        training.model.norm.gain.fill_(float("nan"))
    with pytest.raises(RecipeError, match=r"diverged.*step 1.*Lower lr"):
        training.step()


@pytest.mark.parametrize(("num_tokens", "fits"), [(33, True), (32, False)])
def test_a_corpus_of_less_than_a_window_is_refused_before_anything_is_written(writer, tmp_path, num_tokens, fits):
    folder = writer({"train": [[[*range(1, num_tokens), 0]]], "val": [[[1, 2, 0]]]})
    out = tmp_path / "out"
    if fits:
        assert TINY.model_copy(update={"steps": 3}).train(str(folder), str(out))["epochs"] == 24
    else:
        with pytest.raises(InputError, match="has 32 tokens, one window of seq_len 32 needs 33"):
            TINY.train(str(folder), str(out))
        assert not out.exists()


def test_an_empty_validation_split_is_refused(writer, tmp_path):
    folder = writer({"train": [[[*range(1, 300), 0]]], "val": []})
    with pytest.raises(InputError, match="'val' has 0 documents"):
        TINY.train(str(folder), str(tmp_path / "out"))


def test_the_learning_rate_rises_then_falls_to_its_floor():
    settings = CompactTrainer(steps=50, warmup_steps=10, lr=1.0, min_lr_frac=0.2)
    rates = [settings.lr_at(step) for step in range(50)]
    assert rates[:10] == pytest.approx([0.1 * step for step in range(1, 11)])
    assert all(a > b for a, b in pairwise(rates[9:]))
    assert rates[29] == pytest.approx(0.6)  # half way: the mean of top and floor
    assert rates[-1] == pytest.approx(0.2)
    assert CompactTrainer(steps=5, warmup_steps=5, lr=1.0).lr_at(4) == 1.0
    assert CompactTrainer(steps=5, warmup_steps=0, lr=1.0, min_lr_frac=0).lr_at(4) == pytest.approx(0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 30, "heads": 4}, "even multiple of heads"),
        ({"batch_tokens": 300, "seq_len": 256}, "multiple of seq_len"),
        ({"steps": 10, "warmup_steps": 11}, "more than steps"),
        ({"learning_rate": 1}, "Extra inputs"),
        ({"steps": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        CompactTrainer(**settings)


def test_only_the_newest_checkpoint_stays_and_nothing_is_pickled(whole):
    folder, _ = whole
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["step-00000012"]
    suffixes = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert suffixes == {".json", ".jsonl", ".safetensors"}


def test_a_broken_checkpoint_says_what_to_do(corpus, tmp_path):
    with pytest.raises(Stopped):
        TINY.train(str(corpus.folder), str(tmp_path), progress=stop_at(5))
    path = checkpoint.newest(tmp_path / "checkpoints") / "optimizer.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"cannot be resumed from.*resume=False"):
        TINY.train(str(corpus.folder), str(tmp_path))


def test_what_a_killed_run_left_half_written_is_passed_over(corpus, tmp_path, whole):
    with pytest.raises(Stopped):
        TINY.train(str(corpus.folder), str(tmp_path), progress=stop_at(6))
    half = tmp_path / "checkpoints" / ".new-step-00000008"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "train", "st')
    TINY.train(str(corpus.folder), str(tmp_path))
    assert torch.equal(weights(tmp_path)["norm.gain"], weights(whole[0])["norm.gain"])
    assert not half.exists()
    assert without_rates(records(tmp_path)) == without_rates(records(whole[0]))


def test_global_torch_settings_come_back(corpus, tmp_path):
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    TINY.model_copy(update={"threads": 1, "steps": 3}).train(str(corpus.folder), str(tmp_path))
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


@pytest.mark.parametrize("package", ["torch", "safetensors"])
def test_without_the_train_extra_settings_are_checked_and_training_says_what_to_install(package):
    code = f"""
import sys
sys.modules[{package!r}] = None
from curate.errors import EnvironmentProblem
from training_bridge.trainer import CompactTrainer
settings = CompactTrainer(steps=40)
try:
    settings.train("tokens", "out")
except EnvironmentProblem as problem:
    print(problem)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'curate[train]'" in result.stdout, result.stderr
    assert package in result.stdout
