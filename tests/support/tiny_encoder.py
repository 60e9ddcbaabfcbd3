"""A small real ONNX encoder with its tokenizer, made on the spot: a token's last hidden state is a row of a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

VOCABULARY = ["[UNK]", "[CLS]", "[SEP]", "river", "stone", "water", "中", "文"]
STATES = np.random.default_rng(0).normal(size=(len(VOCABULARY), 4)).astype(np.float32)


def save_encoder(folder: Path) -> None:
    """model.onnx and tokenizer.json. Needs the package onnx."""
    import onnx

    helper, numbers, shape = onnx.helper, onnx.TensorProto, ["batch", "tokens"]
    inputs = [helper.make_tensor_value_info(name, numbers.INT64, shape) for name in ("input_ids", "attention_mask")]
    output = helper.make_tensor_value_info("last_hidden_state", numbers.FLOAT, [*shape, 4])
    states = onnx.numpy_helper.from_array(STATES, "states")
    nodes = [helper.make_node("Gather", ["states", "input_ids"], ["last_hidden_state"])]
    graph = helper.make_graph(nodes, "encoder", inputs, [output], [states])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "model.onnx"))
    save_tokenizer(folder)


def save_tokenizer(folder: Path) -> None:
    """tokenizer.json alone."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({token: n for n, token in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.enable_padding(length=16)  # as exporters leave it; padding must not count
    tokenizer.save(str(folder / "tokenizer.json"))
