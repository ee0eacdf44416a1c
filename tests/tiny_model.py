"""Writes a tiny language model with random weights: real to any llama.cpp server, and pure noise to read."""

from pathlib import Path

import gguf
import numpy as np

_WIDTH = 64
_LAYERS = 2
_FORWARD = 128
_HEADS = 4
_CONTEXT = 8192
_CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def write_tiny_model(path: Path, *, seed: int = 0) -> None:
    """Write a LLaMA of half a megabyte with a byte vocabulary; the same seed gives the same file."""
    random = np.random.default_rng(seed)
    tokens, scores, kinds = _vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_FORWARD)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_space_prefix(value=False)
    writer.add_chat_template(_CHAT_TEMPLATE)
    for name, tensor in _tensors(tokens, random).items():
        writer.add_tensor(f"{name}.weight", tensor.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _vocabulary() -> tuple[list[bytes], list[float], list[int]]:
    kind = gguf.TokenType
    entries = [(b"<unk>", kind.UNKNOWN), (b"<s>", kind.CONTROL), (b"</s>", kind.CONTROL)]
    entries += [(b"<0x%02X>" % byte, kind.BYTE) for byte in range(256)]
    entries += [(bytes([char]), kind.NORMAL) for char in range(32, 127)]
    entries.append(("\u2581".encode(), kind.NORMAL))
    return [token for token, _ in entries], [0.0] * len(entries), [int(kind) for _, kind in entries]


def _tensors(tokens: list[bytes], random: np.random.Generator) -> dict[str, np.ndarray]:
    def noise(*shape: int) -> np.ndarray:
        return random.normal(0.0, 0.05, shape)

    # One input column is constant, so that its output column acts as a bias per token: short words of letters
    # that end soon, instead of endless blanks that keep a grammar busy until the token limit.
    embedding = noise(len(tokens), _WIDTH)
    embedding[:, 0] = 4.0
    output = noise(len(tokens), _WIDTH)
    output[:, 0] = [_bias(token) for token in tokens]
    tensors = {"token_embd": embedding, "output_norm": np.ones(_WIDTH), "output": output}
    for layer in range(_LAYERS):
        block = f"blk.{layer}"
        tensors |= {
            f"{block}.attn_norm": np.ones(_WIDTH),
            f"{block}.ffn_norm": np.ones(_WIDTH),
            f"{block}.attn_q": noise(_WIDTH, _WIDTH),
            f"{block}.attn_k": noise(_WIDTH, _WIDTH),
            f"{block}.attn_v": noise(_WIDTH, _WIDTH),
            f"{block}.attn_output": noise(_WIDTH, _WIDTH),
            f"{block}.ffn_gate": noise(_FORWARD, _WIDTH),
            f"{block}.ffn_up": noise(_FORWARD, _WIDTH),
            f"{block}.ffn_down": noise(_WIDTH, _FORWARD),
        }
    return tensors


def _bias(token: bytes) -> float:
    if len(token) == 1 and token.isalpha():
        return 1.5
    if token == b'"':
        return 1.6
    return -6.0 if token.startswith(b"<0x") or not token.strip() or token == "\u2581".encode() else 0.0
