from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from curate.errors import InputError
from training_bridge.evaluate import held_out, token_nats, unigram, unigram_counts
from training_bridge.model import Decoder, ModelConfig
from training_bridge.shards import open_shards

SMALL = {"layers": 1, "width": 16, "heads": 2, "ffn_width": 24}
DOCUMENTS = [[1, 2, 0], [3, 4, 5, 0], [6, 0]]


def test_documents_are_taken_whole_from_the_start(writer):
    shards = open_shards(writer({"val": [DOCUMENTS[:1], DOCUMENTS[1:]]}))
    for bound, count in [(1, 1), (3, 1), (6, 1), (7, 2), (8, 2), (9, 3), (10_000, 3)]:
        held = held_out(shards, "val", bound)
        assert held.tokens.tolist() == [token for document in DOCUMENTS[:count] for token in document]
        assert held.documents.num_bytes.sum() == sum(4 * (len(document) - 1) for document in DOCUMENTS[:count])
        assert (held.tokens[held.is_eos] == 0).all()
        assert held.is_eos.sum() == count


def test_every_token_is_a_target_once_whatever_the_context(writer):
    shards = open_shards(writer({"val": [DOCUMENTS]}))
    held = held_out(shards, "val", 100)
    for seq_len in (1, 2, 4, 8, 9, 50):
        model = Decoder(ModelConfig(vocab_size=384, seq_len=seq_len, **SMALL), seed=1)
        nats = token_nats(model, held.tokens, 0)
        assert nats.shape == (9,)
        stream = [0, *held.tokens.tolist()]
        for place in range(9):
            context = stream[place // seq_len * seq_len : place + 1]
            with torch.no_grad():
                logits = model(torch.tensor([context]))[0, -1].double()
            assert nats[place] == pytest.approx(-float(torch.log_softmax(logits, 0)[stream[place + 1]]), abs=1e-5)


def test_batches_do_not_change_the_nats(corpus):
    tokens = corpus.tokens["val"][:1000]
    model = Decoder(ModelConfig(vocab_size=384, seq_len=32, **SMALL)).train()
    one, many = (token_nats(model, tokens, 0, batch_tokens=size) for size in (32, 4096))
    np.testing.assert_allclose(one, many, atol=1e-5)
    assert model.training


def test_bits_per_byte_counts_text_and_no_eos(writer):
    held = held_out(open_shards(writer({"val": [DOCUMENTS]})), "val", 100)
    nats = np.array([1.0, 2, 100, 3, 4, 5, 100, 6, 100])
    scores = held.summarise(nats)
    assert scores["loss"] == pytest.approx(321 / 9)
    assert scores["bits_per_byte"] == pytest.approx(21 / math.log(2) / 24)  # six tokens of four bytes


def test_a_uniform_model_needs_the_bits_that_its_tokens_need(corpus):
    shards = open_shards(corpus.folder)
    held = held_out(shards, "val", 10**9)
    scores = held.summarise(np.full(len(held.tokens), math.log(384)))
    num_bytes = sum(len(text.encode()) for text in corpus.texts["val"])
    assert scores["bits_per_byte"] == pytest.approx((~held.is_eos).sum() * math.log2(384) / num_bytes)


def test_sources_add_up_to_the_whole(corpus):
    held = held_out(open_shards(corpus.folder), "val", 10**9)
    nats = np.random.default_rng(0).uniform(1, 9, len(held.tokens))
    sources = held.by_source(nats)
    assert set(sources) == {"first", "second"}
    total = sum(source["loss"] * source["num_tokens"] for source in sources.values())
    assert total / len(held.tokens) == pytest.approx(held.summarise(nats)["loss"])
    bits = sum(source["bits_per_byte"] * source["num_bytes"] for source in sources.values())
    assert bits / held.documents.num_bytes.sum() == pytest.approx(held.summarise(nats)["bits_per_byte"])


def test_text_without_bytes_has_no_bits_per_byte(writer):
    held = held_out(open_shards(writer({"val": [[[0]]]})), "val", 10)
    assert held.summarise(np.ones(1)) == {"loss": 1.0, "bits_per_byte": None}


def test_the_unigram_bound_by_hand(writer):
    shards = open_shards(writer({"train": [[[1, 1, 2, 0]]], "val": [[[1, 3, 0]]]}))
    scores = unigram(held_out(shards, "val", 10), unigram_counts(shards.stream("train"), 384))
    expected = -np.log(np.array([3, 1, 2]) / 388)  # (count + 1) / (4 tokens + 384 ids)
    assert scores["unigram_loss"] == pytest.approx(expected.mean())
    assert scores["unigram_bits_per_byte"] == pytest.approx(expected[:2].sum() / math.log(2) / 8)
    assert scores["own_unigram_loss"] == pytest.approx(math.log(3))


def test_no_distribution_over_single_tokens_beats_their_own_entropy(corpus):
    shards = open_shards(corpus.folder)
    held = held_out(shards, "val", 10**9)
    counts = unigram_counts(shards.stream("train"), 384)
    scores = unigram(held, counts)
    assert scores["own_unigram_loss"] < scores["unigram_loss"]
    assert np.array_equal(counts, np.bincount(corpus.tokens["train"], minlength=384))


def test_an_empty_validation_split_is_refused(writer):
    with pytest.raises(InputError, match="'val' has 0 documents, evaluation needs 1"):
        held_out(open_shards(writer({"val": []})), "val", 100)


@pytest.mark.parametrize("document", [[384, 0], [1, 2]])
def test_ids_outside_the_vocabulary_and_missing_eos_are_refused(writer, document):
    with pytest.raises(InputError, match="Write the shards again"):
        held_out(open_shards(writer({"val": [[document]]})), "val", 100)


def test_a_training_id_outside_the_vocabulary_is_refused(writer):
    shards = open_shards(writer({"train": [[[383, 0]]]}))
    assert unigram_counts(shards.stream("train"), 384)[383] == 1
    with pytest.raises(InputError, match="id 383 in a vocabulary of 383"):
        unigram_counts(shards.stream("train"), 383)
