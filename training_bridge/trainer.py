"""The compact trainer: a small LLaMA-style decoder on token shards, to show that curated text can be learned from.

It trains on one device and reads its data by memory map. It answers "is this corpus sound, and is that one better",
with a loss beside the entropy that a model without context would reach. It is no framework: no parallelism over
devices, no mixture schedules, no fine-tuning.

This module imports without torch, so that a recipe's settings can be checked anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from training_bridge.extra import train_extra

Progress = Callable[[dict[str, Any]], None]


class CompactTrainer(BaseModel):
    """Settings of a run. The defaults learn visibly in about two minutes on two CPU cores (see docs/decisions.md)."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    layers: int = Field(default=4, ge=1)
    width: int = Field(default=128, ge=2)
    heads: int = Field(default=4, ge=1)
    ffn_width: int | None = Field(default=None, ge=1)  # null: 8/3 · width, rounded up to 32 (LLaMA, section 2.2)
    seq_len: int = Field(default=256, ge=2)  # tokens of context
    tie_embeddings: bool = True

    steps: int = Field(default=300, ge=1)  # the schedule's length; the only thing that decides the result
    batch_tokens: int = Field(default=2048, ge=2)  # tokens of one step, a multiple of seq_len
    micro_batch_tokens: int = Field(default=16384, ge=2)  # tokens of one forward pass: memory, not the result's meaning
    max_seconds: float | None = Field(
        default=None, gt=0
    )  # stop early after so long. Where it strikes, results vary by machine

    lr: float = Field(default=4e-3, gt=0)  # our choice: it learned steadily at this size. LLaMA 7B: 3e-4
    min_lr_frac: float = Field(default=0.1, ge=0, le=1)  # cosine ends at a tenth (LLaMA, section 2.3)
    warmup_steps: int = Field(default=30, ge=0)
    weight_decay: float = Field(default=0.1, ge=0)  # LLaMA, section 2.3; matrices only, not embeddings or gains
    beta1: float = Field(default=0.9, ge=0, lt=1)  # LLaMA, section 2.3
    beta2: float = Field(default=0.95, ge=0, lt=1)  # LLaMA, section 2.3
    adam_eps: float = Field(default=1e-8, gt=0)  # Kingma and Ba 2015
    grad_clip: float = Field(default=1.0, gt=0)  # norm of all gradients (LLaMA, section 2.3)
    seed: int = Field(default=0, ge=0)

    eval_every: int = Field(default=100, ge=1)  # steps; the last step is always evaluated
    eval_tokens: int = Field(
        default=65536, ge=1
    )  # first documents of `val` up to so many tokens, one document at least
    log_every: int = Field(default=10, ge=1)  # steps
    checkpoint_every: int = Field(default=100, ge=1)  # steps; the last step is always saved

    device: Literal["auto", "cpu", "cuda"] = "auto"  # cuda: bfloat16 autocast
    threads: int | None = Field(default=None, ge=1)  # CPU threads; null: all cores that this process may use
    compile: bool = False  # torch.compile: needs a C++ compiler, pays off on long runs

    @model_validator(mode="after")
    def _fit_together(self) -> CompactTrainer:
        if self.width % self.heads or self.width // self.heads % 2:
            raise ValueError(f"width {self.width} must be an even multiple of heads {self.heads}")
        if self.batch_tokens % self.seq_len:
            raise ValueError(f"batch_tokens {self.batch_tokens} must be a multiple of seq_len {self.seq_len}")
        if self.warmup_steps > self.steps:
            raise ValueError(f"warmup_steps {self.warmup_steps} is more than steps {self.steps}")
        return self

    @property
    def batch_windows(self) -> int:
        """Windows of one step."""
        return self.batch_tokens // self.seq_len

    @property
    def feed_forward_width(self) -> int:
        """`ffn_width`, or what stands for its null."""
        return self.ffn_width or -(-8 * self.width // (3 * 32)) * 32

    def lr_at(self, step: int) -> float:
        """The learning rate of step 0..steps-1: linear to `lr` over the warm-up, then by cosine to `min_lr_frac · lr`.

        >>> trainer = CompactTrainer(steps=100, warmup_steps=10, lr=1.0)
        >>> [round(trainer.lr_at(step), 4) for step in (0, 9, 99)]
        [0.1, 1.0, 0.1]
        """
        done = step + 1
        if done <= self.warmup_steps:
            return self.lr * done / self.warmup_steps
        share = (done - self.warmup_steps) / (self.steps - self.warmup_steps)
        floor = self.lr * self.min_lr_frac
        return floor + (self.lr - floor) * 0.5 * (1 + math.cos(math.pi * share))

    def identity(self) -> dict[str, Any]:
        """The settings that decide the weights: a run goes on only under the same ones."""
        free = {
            "max_seconds",
            "eval_every",
            "eval_tokens",
            "log_every",
            "checkpoint_every",
            "device",
            "threads",
            "compile",
        }
        return self.model_dump(mode="json", exclude=free)

    def train(
        self, tokens_dir: str, output_dir: str, progress: Progress | None = None, resume: bool = True
    ) -> dict[str, Any]:
        """Train on the `train` split of a folder of token shards; returns what `output_dir/summary.json` holds.

        `output_dir` gets `metrics.jsonl`, `checkpoints/step-*`, `model/` and `summary.json`. `progress` is called with
        each record of the metrics. With `resume` a run that was stopped goes on at its last checkpoint, and on the CPU
        with the same number of threads ends with the weights that it would have had, bit for bit; one that has
        finished is not run again. Without it, an earlier run in `output_dir` is deleted.

        InputError where the shards are broken or hold fewer than seq_len + 1 training tokens or no `val` document;
        OutputError where `output_dir` holds another run or something else, or cannot be written; RecipeError where the
        loss stops being a number; EnvironmentProblem where torch or the wanted device is missing.
        """
        with train_extra():
            from training_bridge.loop import run
        return run(self, tokens_dir, output_dir, progress, resume)

    def write_samples(self, output_dir: str, prompts: Sequence[str], max_new_tokens: int = 80) -> list[str]:
        """Text that the model of a finished run writes after each prompt, prompt included. The same each time."""
        with train_extra():
            from training_bridge.sample import sample
        folder = f"{output_dir}/model"
        return [prompt + sample(folder, prompt, max_new_tokens, seed=self.seed) for prompt in prompts]
