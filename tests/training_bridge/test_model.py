from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError

from training_bridge.model import Decoder, ModelConfig, rotary_angles, rotate

TINY = {"vocab_size": 50, "layers": 2, "width": 24, "heads": 3, "ffn_width": 40, "seq_len": 16}


def reference(model: Decoder, tokens: list[int]) -> torch.Tensor:
    """The same model written slowly: float64, one position, head and channel pair at a time."""
    config = model.config
    weights = {name: tensor.double() for name, tensor in model.state_dict().items()}
    size = config.width // config.heads

    def norm(x, gain):
        return x / torch.sqrt((x * x).mean() + config.norm_eps) * gain

    def turned(x, position):
        out = x.clone()
        for pair in range(size // 2):
            angle = position * config.rope_base ** (-2 * pair / size)
            first, second = x[pair], x[pair + size // 2]
            out[pair] = first * math.cos(angle) - second * math.sin(angle)
            out[pair + size // 2] = first * math.sin(angle) + second * math.cos(angle)
        return out

    states = [weights["embedding.weight"][token] for token in tokens]
    for layer in range(config.layers):
        block = {name.split(".", 2)[2]: w for name, w in weights.items() if name.startswith(f"blocks.{layer}.")}
        projected = [block["attention.qkv.weight"] @ norm(x, block["attention_norm.gain"]) for x in states]
        mixed = []
        for here in range(len(tokens)):
            heads = []
            for head in range(config.heads):
                channels = slice(head * size, head * size + size)
                query, key, value = ([p.view(3, -1)[which][channels] for p in projected] for which in range(3))
                scores = [turned(query[here], here) @ turned(key[k], k) / math.sqrt(size) for k in range(here + 1)]
                shares = torch.softmax(torch.stack(scores), 0)
                heads.append(sum(share * value[k] for k, share in enumerate(shares)))
            mixed.append(block["attention.out.weight"] @ torch.cat(heads))
        states = [x + m for x, m in zip(states, mixed, strict=True)]
        for here, x in enumerate(states):
            x = norm(x, block["feed_forward_norm.gain"])
            gate, up = block["feed_forward.gate.weight"] @ x, block["feed_forward.up.weight"] @ x
            states[here] = states[here] + block["feed_forward.down.weight"] @ (gate / (1 + torch.exp(-gate)) * up)
    head = weights["embedding.weight" if config.tie_embeddings else "head.weight"]
    return torch.stack([head @ norm(x, weights["norm.gain"]) for x in states])


def loud(config: ModelConfig) -> Decoder:
    """A model whose weights are large enough for every part to matter."""
    model = Decoder(config, seed=3)
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            generator = torch.Generator().manual_seed(number)
            parameter.normal_(1.0 if parameter.dim() == 1 else 0.0, 0.3, generator=generator)
    return model


@pytest.mark.parametrize("tied", [True, False])
def test_it_computes_what_the_slow_reference_computes(tied):
    model = loud(ModelConfig(**TINY, tie_embeddings=tied))
    tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 35]
    with torch.no_grad():
        logits = model(torch.tensor([tokens, tokens[::-1]]))
    torch.testing.assert_close(logits[0].double(), reference(model, tokens), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits[1].double(), reference(model, tokens[::-1]), rtol=1e-4, atol=1e-4)


def test_a_later_token_changes_nothing_before_it():
    model = loud(ModelConfig(**TINY))
    first = torch.tensor([[1, 2, 3, 4, 5, 6]])
    second = first.clone()
    second[0, 4] = 40
    with torch.no_grad():
        a, b = model(first), model(second)
    assert torch.equal(a[:, :4], b[:, :4])
    assert not torch.allclose(a[:, 4:], b[:, 4:])


def test_rotary_scores_depend_on_distance_alone():
    angles = rotary_angles(64, 8, 10_000.0)
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(8, generator=generator), torch.randn(8, generator=generator)

    def score(i, j):
        return float(
            rotate(query[None], angles[i : i + 1].cos(), angles[i : i + 1].sin())
            @ rotate(key[None], angles[j : j + 1].cos(), angles[j : j + 1].sin()).T
        )

    assert score(5, 2) == pytest.approx(score(40, 37), abs=1e-5)
    assert score(5, 2) != pytest.approx(score(5, 3), abs=1e-3)
    assert score(0, 0) == pytest.approx(float(query @ key), abs=1e-6)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
def test_the_parameter_formula_counts_what_is_there(tied, layers):
    config = ModelConfig(**{**TINY, "layers": layers, "tie_embeddings": tied})
    assert sum(parameter.numel() for parameter in Decoder(config).parameters()) == config.num_parameters


def test_the_parameter_formula_by_hand():
    # 50·24 embeddings; 2 · (4·24² attention + 3·24·40 feed-forward + 2·24 gains); 24 last gains
    assert ModelConfig(**TINY).num_parameters == 1200 + 2 * (2304 + 2880 + 48) + 24


def test_a_fresh_model_predicts_nothing_in_particular():
    config = ModelConfig(**{**TINY, "vocab_size": 1000})
    with torch.no_grad():
        logits = Decoder(config)(torch.arange(16)[None])
    loss = torch.nn.functional.cross_entropy(logits[0, :-1], torch.arange(1, 16))
    assert float(loss) == pytest.approx(math.log(1000), abs=0.2)


def test_initial_weights_have_the_stated_spread():
    config = ModelConfig(vocab_size=2000, layers=8, width=128, heads=4, ffn_width=352, seq_len=8)
    spread = {name: float(p.detach().std()) for name, p in Decoder(config).named_parameters() if p.dim() == 2}
    assert spread["embedding.weight"] == pytest.approx(0.02, rel=0.03)
    assert spread["blocks.0.attention.qkv.weight"] == pytest.approx(0.02, rel=0.03)
    assert spread["blocks.7.attention.out.weight"] == pytest.approx(0.02 / 4, rel=0.03)
    assert spread["blocks.7.feed_forward.down.weight"] == pytest.approx(0.02 / 4, rel=0.03)


def test_the_seed_decides_the_weights():
    config = ModelConfig(**TINY)
    weights = [Decoder(config, seed=seed).embedding.weight for seed in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_context_is_bounded():
    model = Decoder(ModelConfig(**TINY))
    assert model(torch.zeros(1, 16, dtype=torch.int64)).shape == (1, 16, 50)
    with pytest.raises(ValueError, match="17 tokens, the model's context is 16"):
        model(torch.zeros(1, 17, dtype=torch.int64))


@pytest.mark.parametrize("heads", [5, 8])  # 24/5 is no whole number, 24/8 is odd
def test_heads_must_divide_the_width_evenly(heads):
    with pytest.raises(ValidationError, match="even multiple"):
        ModelConfig(**{**TINY, "heads": heads})
