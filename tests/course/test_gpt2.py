"""GPT-2's weights: mapped onto the course's model without a network, and fetched from a server."""

from __future__ import annotations

import json
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from practice_notebooks import run

from course import gpt2
from course.checking import check_namespace


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    printed, names = run("07_gpt2", solved=True)
    assert "✗" not in printed
    assert "✓ The model computes the same logits" in printed
    assert "This demonstration stopped" not in printed
    assert "Nothing is fetched" in printed
    return names


def test_unsolved_it_runs_to_its_end() -> None:
    printed, _ = run("07_gpt2", solved=False)
    assert "comes alive when the cells above are solved" in printed
    assert "This demonstration stopped" not in printed


@pytest.mark.parametrize("wrong", ["undivided", "tied", "untransposed", "no positions", "shuffled"])
def test_a_wrong_mapping_is_noticed(names: dict[str, Any], wrong: str) -> None:
    def model_with(theirs: dict[str, torch.Tensor], n_heads: int) -> torch.nn.Module:
        model: torch.nn.Module = names["model_with"](theirs, n_heads)
        own = model.state_dict()
        table = own["embedding.token_embedding.embedding.weight"]
        joint, out = (
            f"blocks.0.layer.self_attn.{name}" for name in ("in_proj_weight", "out_proj.weight")
        )
        if wrong == "undivided":
            table.copy_(theirs["wte.weight"])
        elif wrong == "tied":
            own["lm_head.weight"].copy_(table)
        elif wrong == "untransposed":
            own[out].copy_(own[out].T.clone())
        elif wrong == "no positions":
            own["embedding.positions"].zero_()
        else:
            own[joint].copy_(own[joint].roll(24, dims=0))
        return model

    made = check_namespace({**names, "model_with": model_with}, "weights")
    assert not all(result.passed for result in made.results)


def safetensors(weights: dict[str, torch.Tensor]) -> bytes:
    """Weights as they are published: with a mask, and under the names that a whole model has."""
    about: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    content = b""
    for name, tensor in {**weights, "h.0.attn.bias": torch.ones(1, 1, 4, 4)}.items():
        data = tensor.contiguous().numpy().tobytes()
        place = [len(content), len(content) + len(data)]
        about[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": place}
        content += data
    header = json.dumps(about).encode()
    return len(header).to_bytes(8, "little") + header + content


def test_weights_are_fetched_once_and_read(tmp_path: Path) -> None:
    weights = gpt2.random_weights(n_layers=1)
    (tmp_path / "site").mkdir()
    (tmp_path / "site/model.safetensors").write_bytes(safetensors(weights))
    (tmp_path / "site/vocab.json").write_text(json.dumps({"Ġthe": 1, "Hi": 0, "Ã©": 2}))
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        found = gpt2.download(str(tmp_path), address)
        texts = gpt2.token_texts(str(tmp_path), address)
        with pytest.raises(ConnectionError, match=r"can't be fetched .*: is there a network"):
            gpt2.download(str(tmp_path / "site"), f"{address}/elsewhere")
        server.shutdown()
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], weights[name]) for name in weights)
    assert b"".join(texts).decode() == "Hi theé"
    assert gpt2.download(str(tmp_path), address).keys() == weights.keys()  # from the file


def test_weights_of_another_type_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors(gpt2.random_weights()).replace(b'"F32"', b'"F16"'))
    with pytest.raises(ValueError, match=r"wte.weight is of type F16"):
        gpt2.read_safetensors(path)
