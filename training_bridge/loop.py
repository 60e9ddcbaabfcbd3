"""The training loop behind `CompactTrainer.train`: read top to bottom, it is all that happens.

AdamW with decoupled decay (Loshchilov and Hutter 2019) on the matrices; gradients of micro-batches add up to the mean
over the batch's tokens; their joint norm is clipped. The batch of step s is samples [s · B, s · B + B) of the dataset.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch.nn import functional

from curate.errors import EnvironmentProblem, OutputError, RecipeError
from training_bridge import checkpoint
from training_bridge.dataset import TokenWindows
from training_bridge.evaluate import held_out, token_nats, unigram, unigram_counts
from training_bridge.model import Decoder, ModelConfig
from training_bridge.rundir import RunDir, write_json
from training_bridge.shards import TokenShards, open_shards
from training_bridge.trainer import CompactTrainer, Progress


def run(
    settings: CompactTrainer, tokens_dir: str, output_dir: str, progress: Progress | None, resume: bool
) -> dict[str, Any]:
    """See `CompactTrainer.train`."""
    shards = open_shards(tokens_dir)
    device = _device(settings.device)
    threads = settings.threads or _usable_cores()
    with _numerics(device, threads):
        training = Training(settings, shards, device)  # everything that can be wrong with the input is found here
        folder = RunDir(Path(output_dir), {**settings.identity(), "tokens": shards.digest}, resume=resume)
        if (summary := folder.finished()) is not None:
            return summary
        training.resume(folder)
        training.fit(folder, progress)
        return training.finish(folder, threads)


class Training:
    """A run in memory: data, model, optimizer, and the number of steps that are done."""

    def __init__(self, settings: CompactTrainer, shards: TokenShards, device: torch.device) -> None:
        self.settings = settings
        self.shards = shards
        self.device = device
        samples = settings.steps * settings.batch_windows
        self.windows = TokenWindows(shards, "train", settings.seq_len, seed=settings.seed, num_samples=samples)
        self.held = held_out(shards, "val", settings.eval_tokens)
        self.unigram = unigram(self.held, unigram_counts(self.windows.stream, shards.vocab_size))
        self.tokenizer = shards.tokenizer_path
        self.model = Decoder(_shape(settings, shards.vocab_size), seed=settings.seed).to(device)
        self.forward = torch.compile(self.model) if settings.compile else self.model
        self.optimizer = _optimizer(settings, self.model)
        self.steps_done = 0
        self.seconds = 0.0  # of steps, in this process; evaluation is not counted
        self.first_step = 0
        self.validation: dict[str, Any] = {}

    def resume(self, folder: RunDir) -> None:
        """Go on from the newest checkpoint, where there is one."""
        if (newest := checkpoint.newest(folder.checkpoints)) is not None:
            self.steps_done = checkpoint.restore(newest, self.optimizer, self.model)
        self.first_step = self.steps_done
        folder.forget_after(self.steps_done)

    def fit(self, folder: RunDir, progress: Progress | None) -> None:
        """Train to the last step, or until the time is up; evaluate and save on the way and at the end."""

        def record(content: dict[str, Any]) -> None:
            folder.append(content)
            if progress is not None:
                progress(content)

        begin = time.monotonic()
        settings = self.settings
        while True:
            late = settings.max_seconds is not None and time.monotonic() - begin >= settings.max_seconds
            late = late and self.steps_done > self.first_step  # each call gets on by one step at least
            last = late or self.steps_done >= settings.steps
            if last or (self.steps_done % settings.eval_every == 0 and self.steps_done > self.first_step):
                record(self.evaluate())
            if last or (self.steps_done % settings.checkpoint_every == 0 and self.steps_done > self.first_step):
                self.save(folder)
            if last:
                return
            content = self.step()
            if self.steps_done % settings.log_every == 0 or self.steps_done in (1, settings.steps):
                record(content)

    def step(self) -> dict[str, Any]:
        """One update; returns its record. RecipeError where loss or gradient is no finite number."""
        begin = time.perf_counter()
        settings, number = self.settings, self.steps_done
        lr = settings.lr_at(number)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._accumulate(number)
        grad_norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.grad_clip))
        if not (math.isfinite(loss) and math.isfinite(grad_norm)):
            raise RecipeError(
                f"training diverged: loss {loss}, gradient norm {grad_norm} at step {number + 1}. Lower lr (now "
                f"{settings.lr}) or raise warmup_steps (now {settings.warmup_steps}); checkpoints before it are kept."
            )
        self.optimizer.step()
        seconds = time.perf_counter() - begin
        self.seconds += seconds
        self.steps_done += 1
        tokens = self.steps_done * settings.batch_tokens
        rate = settings.batch_tokens / seconds
        done = {"kind": "train", "step": self.steps_done, "tokens": tokens, "loss": loss, "lr": lr}
        return {**done, "grad_norm": grad_norm, "tokens_per_second": round(rate, 1)}

    def _accumulate(self, number: int) -> float:
        """Gradients of the mean loss over a step's tokens; returns that loss in nats per token."""
        first = number * self.settings.batch_windows
        batch = torch.stack([self.windows[first + row] for row in range(self.settings.batch_windows)])
        total = torch.zeros((), device=self.device)
        for micro in torch.split(batch, max(1, self.settings.micro_batch_tokens // self.settings.seq_len)):
            tokens = micro.to(self.device)
            with self._autocast():
                logits = self.forward(tokens[:, :-1])
            nats = functional.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten(), reduction="sum")
            (nats / self.settings.batch_tokens).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            total += nats.detach()
        return float(total) / self.settings.batch_tokens

    def evaluate(self) -> dict[str, Any]:
        """Loss and bits per byte on the held-out documents, and the record of them."""
        nats = token_nats(self.model, self.held.tokens, self.shards.eos_id, autocast=self._autocast())
        self.validation = {**self.held.summarise(nats), "sources": self.held.by_source(nats)}
        tokens = self.steps_done * self.settings.batch_tokens
        scores = {key: self.validation[key] for key in ("loss", "bits_per_byte")}
        return {"kind": "val", "step": self.steps_done, "tokens": tokens, **scores}

    def save(self, folder: RunDir) -> None:
        """Write a checkpoint, then remove those before it. OutputError where the disk refuses."""
        target = checkpoint.step_folder(folder.checkpoints, self.steps_done)
        files = {
            "optimizer.safetensors": checkpoint.optimizer_tensors(self.optimizer, self.model),
            "state.json": {"step": self.steps_done, "settings": self.settings.model_dump(mode="json")},
        }
        if target.exists():  # stopped between this and the summary: it holds the same already
            return
        with _disk(folder.folder):
            checkpoint.write_model(target, self.model, self.tokenizer, files)
            checkpoint.remove_older(folder.checkpoints, target)

    def finish(self, folder: RunDir, threads: int) -> dict[str, Any]:
        """Write `model/` and `summary.json`; returns the summary."""
        settings, documents = self.settings, self.held.documents
        finished = self.steps_done >= settings.steps
        tokens = self.steps_done * settings.batch_tokens
        measured = (self.steps_done - self.first_step) * settings.batch_tokens
        summary: dict[str, Any] = {
            "finished": finished,
            "stopped_by": "steps" if finished else "max_seconds",
            "step": self.steps_done,
            "tokens": tokens,
            "epochs": tokens / (self.windows.num_windows * settings.seq_len),
            "parameters": self.model.config.num_parameters,
            "val_loss": self.validation["loss"],  # nats per token, EOS counted
            "val_bits_per_byte": self.validation["bits_per_byte"],
            **self.unigram,
            "val_documents": len(documents.sources),
            "val_tokens": len(self.held.tokens),
            "val_bytes": int(documents.num_bytes.sum()),
            "val_share": len(self.held.tokens) / self.shards.split("val").num_tokens,
            "sources": self.validation["sources"],
            "tokens_per_second": round(measured / self.seconds, 1) if measured else None,
            "train_seconds": round(self.seconds, 3),
            "device": str(self.device),
            "threads": threads,
            "torch": torch.__version__,
            "settings": settings.model_dump(mode="json"),
        }
        with _disk(folder.folder):
            checkpoint.write_model(folder.model, self.model, self.tokenizer)
            write_json(folder.summary, summary)
        return summary

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else nullcontext()


def _shape(settings: CompactTrainer, vocab_size: int) -> ModelConfig:
    return ModelConfig(
        vocab_size=vocab_size,
        layers=settings.layers,
        width=settings.width,
        heads=settings.heads,
        ffn_width=settings.feed_forward_width,
        seq_len=settings.seq_len,
        tie_embeddings=settings.tie_embeddings,
    )


def _optimizer(settings: CompactTrainer, model: Decoder) -> torch.optim.AdamW:
    decayed: list[torch.nn.Parameter] = []
    free: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (decayed if parameter.dim() == 2 and not name.startswith("embedding.") else free).append(parameter)
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.lr, betas=(settings.beta1, settings.beta2), eps=settings.adam_eps)


def _device(wanted: str) -> torch.device:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise EnvironmentProblem("device is 'cuda', but torch finds no CUDA device. Use device 'auto' or 'cpu'.")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _numerics(device: torch.device, threads: int) -> Iterator[None]:
    """Set threads, and on the CPU allow deterministic algorithms alone; what was set before comes back afterwards.

    On CUDA, determinism would need cuBLAS's workspace set before the process starts, so it is not promised there.
    """
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(device.type == "cpu" or before[1])
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise OutputError(f"{folder} cannot be written: {error}. Is the disk full?") from error
