from __future__ import annotations

import json

import pytest
import torch

from curate.errors import InputError
from training_bridge import checkpoint
from training_bridge.model import Decoder, ModelConfig
from training_bridge.sample import generate, load_model, sample

CONFIG = ModelConfig(vocab_size=384, layers=1, width=16, heads=2, ffn_width=24, seq_len=16)


@pytest.fixture
def saved(corpus, tmp_path):
    model = Decoder(CONFIG, seed=5).eval()
    checkpoint.write_model(tmp_path / "model", model, corpus.folder / "tokenizer.json")
    return tmp_path, model


def test_a_reloaded_model_gives_identical_logits(saved):
    folder, model = saved
    tokens = torch.arange(16)[None]
    for place in (folder, folder / "model"):
        with torch.no_grad():
            assert torch.equal(load_model(place)[0](tokens), model(tokens))


def test_the_seed_decides_the_text(saved):
    folder, _ = saved
    texts = [sample(folder, "The ", 40, seed=seed, temperature=1.0) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_temperature_zero_and_top_1_take_the_likeliest(saved):
    _, model = saved
    prompt = [5, 6, 7]
    greedy = generate(model, prompt, 20, temperature=0)
    assert greedy == generate(model, prompt, 20, top_k=1, temperature=1.0, seed=9)
    with torch.no_grad():
        ids = list(prompt)
        for _ in range(20):
            ids.append(int(model(torch.tensor([ids[-16:]]))[0, -1].argmax()))
    assert greedy == ids[3:]


def test_top_k_draws_from_the_k_likeliest_alone(saved):
    _, model = saved
    with torch.no_grad():
        likeliest = set(model(torch.tensor([[5]]))[0, -1].topk(3).indices.tolist())
    drawn = {generate(model, [5], 1, temperature=5.0, top_k=3, seed=seed)[0] for seed in range(60)}
    assert drawn == likeliest


def test_eos_ends_the_text_and_is_not_part_of_it(saved):
    _, model = saved
    free = generate(model, [5], 30, temperature=1.0, top_k=None, seed=3)
    eos = free[4]
    assert generate(model, [5], 30, temperature=1.0, top_k=None, seed=3, eos_id=eos) == free[: free.index(eos)]


@pytest.mark.parametrize(("number", "fits"), [(0, True), (-1, False), (10_000, None), (10_001, False)])
def test_the_length_is_bounded(saved, number, fits):
    _, model = saved
    if fits is False:
        with pytest.raises(ValueError, match="max_new_tokens"):
            generate(model, [5], number)
    else:
        eos = None if fits else generate(model, [5], 1, temperature=0)[0]
        assert generate(model, [5], number, temperature=0, eos_id=eos) == []


@pytest.mark.parametrize("options", [{"temperature": -0.1}, {"top_k": 0}])
def test_options_that_are_off_are_refused(saved, options):
    with pytest.raises(ValueError, match="temperature >= 0 and top_k >= 1"):
        generate(saved[1], [5], 1, **options)


def test_an_empty_prompt_needs_an_eos_to_begin_after(saved):
    folder, _ = saved
    with pytest.raises(InputError, match="needs eos_token"):
        sample(folder)
    assert isinstance(sample(folder, eos_token="<|endoftext|>", max_new_tokens=5), str)
    with pytest.raises(InputError, match="no token '</s>'"):
        sample(folder, eos_token="</s>")


def test_folders_without_a_sound_model_are_input_errors(saved, tmp_path):
    folder, _ = saved
    with pytest.raises(InputError, match="holds no model of ours"):
        load_model(tmp_path / "nothing")
    config = folder / "model" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "width": 32}))
    with pytest.raises(InputError, match="holds no model of ours"):
        load_model(folder)


def test_a_broken_tokenizer_is_an_input_error(saved):
    folder, _ = saved
    (folder / "model" / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match="tokenizer"):
        load_model(folder)
