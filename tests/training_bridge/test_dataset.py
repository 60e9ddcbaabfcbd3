from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from curate.errors import InputError
from training_bridge.dataset import TokenWindows
from training_bridge.shards import open_shards


@pytest.mark.parametrize("seq_len", [1, 7, 64, 1000])
def test_unshuffled_windows_are_slices_of_the_stream(corpus, seq_len):
    tokens = corpus.tokens["train"]
    windows = TokenWindows(open_shards(corpus.folder), "train", seq_len, shuffle=False)
    assert len(windows) == (len(tokens) - 1) // seq_len
    for index in (0, 1, len(windows) // 3, len(windows) - 1):
        window = windows[index]
        assert window.dtype == torch.int64
        assert window.tolist() == tokens[index * seq_len : index * seq_len + seq_len + 1].tolist()


@pytest.mark.parametrize(("num_tokens", "windows"), [(5, 1), (8, 1), (9, 2), (10, 2)])
def test_the_tail_that_is_left_out_is_the_stated_one(writer, num_tokens, windows):
    dataset = TokenWindows(open_shards(writer({"train": [[[*range(1, num_tokens), 0]]]})), "train", 4)
    assert len(dataset) == windows
    targets = sorted(token for index in range(windows) for token in dataset[index][1:].tolist())
    stream = [*range(1, num_tokens), 0]
    assert targets == sorted(stream[1 : 1 + 4 * windows])


def test_an_epoch_meets_each_window_once_and_the_next_in_another_order(corpus):
    dataset = TokenWindows(open_shards(corpus.folder), "train", 32, num_samples=10**9)
    count = dataset.num_windows
    epochs = [[dataset.window(epoch * count + index) for index in range(count)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(count)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_a_sample_depends_on_seed_and_index_alone(corpus):
    def window(index, **options):
        return TokenWindows(open_shards(corpus.folder), "train", 32, num_samples=10**9, **options).window(index)

    dataset = TokenWindows(open_shards(corpus.folder), "train", 32, num_samples=10**9)
    indices = [5, 123_456, 0, 5, 999_999_999]
    assert [dataset.window(index) for index in indices] == [window(index) for index in indices]
    assert [window(index, seed=1) for index in indices] != [window(index) for index in indices]


def test_a_longer_run_begins_like_a_shorter_one(corpus):
    shards = open_shards(corpus.folder)
    short, long = (TokenWindows(shards, "train", 32, num_samples=number) for number in (50, 5000))
    assert [short.window(index) for index in range(50)] == [long.window(index) for index in range(50)]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_gives_the_same_batches_with_and_without_workers(corpus, workers):
    dataset = TokenWindows(open_shards(corpus.folder), "train", 16, num_samples=40)
    dataset[0]  # opens a memory map, which must not travel
    loader = DataLoader(dataset, batch_size=8, num_workers=workers)
    batches = torch.cat(list(loader))
    assert torch.equal(batches, torch.stack([dataset[index] for index in range(40)]))


def test_iteration_ends(corpus):
    dataset = TokenWindows(open_shards(corpus.folder), "train", 16, num_samples=3)
    assert len([dataset[index] for index in range(len(dataset))]) == 3
    for index in (-1, 3):
        with pytest.raises(IndexError):
            dataset[index]


@pytest.mark.parametrize(("seq_len", "fits"), [(4, True), (5, False)])
def test_a_corpus_shorter_than_a_window_is_refused(writer, seq_len, fits):
    shards = open_shards(writer({"train": [[[1, 2, 3, 4, 0]]]}))
    if fits:
        assert TokenWindows(shards, "train", seq_len)[0].tolist() == [1, 2, 3, 4, 0]
    else:
        with pytest.raises(InputError, match=r"has 5 tokens, one window of seq_len 5 needs 6"):
            TokenWindows(shards, "train", seq_len)


def test_an_empty_split_is_refused(writer):
    with pytest.raises(InputError, match="has 0 tokens"):
        TokenWindows(open_shards(writer({"train": []})), "train", 4)


def test_windows_hold_only_tokens_of_the_corpus(corpus):
    dataset = TokenWindows(open_shards(corpus.folder), "train", 64)
    counted = np.bincount(torch.cat([dataset[index][1:] for index in range(len(dataset))]).numpy(), minlength=384)
    used = corpus.tokens["train"][1 : 1 + 64 * len(dataset)]
    assert np.array_equal(counted, np.bincount(used, minlength=384))
