"""A small decoder of the LLaMA form (Touvron et al. 2023, section 2.2).

Pre-normalisation with RMSNorm (Zhang and Sennrich 2019), rotary positions (Su et al. 2021) in the half-split layout,
SwiGLU (Shazeer 2020), no biases, no dropout, full multi-head causal attention. Word embedding and output head share
their weights unless told otherwise (Press and Wolf 2017).

Initialisation: N(0, 0.02), and N(0, 0.02 / sqrt(2 · layers)) for the two matrices of a block that write to the residual
stream (GPT-2: Radford et al. 2019, section 2.3); norm gains 1. It is drawn on the CPU from its own generator, so a
seed gives the same weights on every device.
"""

from __future__ import annotations

import math

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import nn
from torch.nn import functional


class ModelConfig(BaseModel):
    """The shape of a model: with the weights, all that is needed to run it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vocab_size: int = Field(ge=2)
    layers: int = Field(ge=1)
    width: int = Field(ge=2)
    heads: int = Field(ge=1)
    ffn_width: int = Field(ge=1)
    seq_len: int = Field(ge=1)  # the longest context
    tie_embeddings: bool = True
    rope_base: float = Field(default=10_000.0, gt=1)  # Su et al. 2021, section 3.2.2
    norm_eps: float = Field(default=1e-5, gt=0)  # LLaMA 2's released configuration

    @model_validator(mode="after")
    def _heads_divide_width(self) -> ModelConfig:
        if self.width % self.heads or self.head_width % 2:
            raise ValueError(f"width {self.width} must be an even multiple of heads {self.heads}")
        return self

    @property
    def head_width(self) -> int:
        """Channels of one attention head."""
        return self.width // self.heads

    @property
    def num_parameters(self) -> int:
        """Trained numbers: embeddings, and per block four attention and three feed-forward matrices and two gains."""
        embeddings = self.vocab_size * self.width * (1 if self.tie_embeddings else 2)
        block = 4 * self.width**2 + 3 * self.width * self.ffn_width + 2 * self.width
        return embeddings + self.layers * block + self.width


class RMSNorm(nn.Module):
    """x / sqrt(mean(x²) + eps) · gain, computed in float32."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = x.float()
        return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)).type_as(x) * self.gain


def rotary_angles(length: int, head_width: int, base: float) -> torch.Tensor:
    """Angles position · base^(-2i / head_width): float32[length, head_width / 2]."""
    frequencies = base ** (-torch.arange(0, head_width, 2, dtype=torch.float64) / head_width)
    return (torch.arange(length, dtype=torch.float64)[:, None] * frequencies).float()


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turn channel pairs (i, i + head_width / 2) of x[..., length, head_width] by their position's angles."""
    first, second = x.float().chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1).type_as(x)


class Attention(nn.Module):
    """Causal multi-head self-attention with rotary positions."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads, self.head_width = config.heads, config.head_width
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(x).view(batch, length, 3, self.heads, self.head_width).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)
        mixed = functional.scaled_dot_product_attention(
            rotate(query, cos, sin), rotate(key, cos, sin), value, is_causal=True
        )
        joined: torch.Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return joined


class FeedForward(nn.Module):
    """SwiGLU: down(silu(gate(x)) · up(x))."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate = nn.Linear(config.width, config.ffn_width, bias=False)
        self.up = nn.Linear(config.width, config.ffn_width, bias=False)
        self.down = nn.Linear(config.ffn_width, config.width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        down: torch.Tensor = self.down(functional.silu(self.gate(x)) * self.up(x))
        return down


class Block(nn.Module):
    """x + attention(norm(x)), then x + feed_forward(norm(x))."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.width, config.norm_eps)
        self.attention = Attention(config)
        self.feed_forward_norm = RMSNorm(config.width, config.norm_eps)
        self.feed_forward = FeedForward(config)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.attention_norm(x), cos, sin)
        x = x + self.feed_forward(self.feed_forward_norm(x))
        return x  # noqa: RET504  # mypy takes a module's result for Any, the name gives it a type


class Decoder(nn.Module):
    """Token ids int64[batch, length <= seq_len] to logits [batch, length, vocab_size]."""

    cos: torch.Tensor
    sin: torch.Tensor

    def __init__(self, config: ModelConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, config.norm_eps)
        self.head = None if config.tie_embeddings else nn.Linear(config.width, config.vocab_size, bias=False)
        angles = rotary_angles(config.seq_len, config.head_width, config.rope_base)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self._initialise(seed)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        length = tokens.shape[1]
        if length > self.config.seq_len:
            raise ValueError(f"{length} tokens, the model's context is {self.config.seq_len}")
        x = self.embedding(tokens)
        cos, sin = self.cos[:length], self.sin[:length]
        for block in self.blocks:
            x = block(x, cos, sin)
        weight = self.embedding.weight if self.head is None else self.head.weight
        return functional.linear(self.norm(x), weight)

    @torch.no_grad()
    def _initialise(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                to_residual = name.endswith(("attention.out.weight", "feed_forward.down.weight"))
                std = 0.02 / math.sqrt(2 * self.config.layers) if to_residual else 0.02
                parameter.normal_(0.0, std, generator=generator)
