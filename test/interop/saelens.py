"""Opens a run folder in SAELens and compares what it computes with the definition.

    pip install sae-lens
    python test/interop/saelens.py RUN_DIR
"""

import sys

import torch
from sae_lens import SAE
from safetensors.torch import load_file

folder = sys.argv[1]
sae = SAE.load_from_disk(folder, device="cpu")
w = load_file(f"{folder}/sae_weights.safetensors")

x = w["b_dec"] + torch.randn(256, sae.cfg.d_in, generator=torch.Generator().manual_seed(0))
h = (x - w["b_dec"]) @ w["W_enc"] + w["b_enc"]
if sae.cfg.architecture() == "topk":
    values, indices = h.topk(sae.cfg.k, dim=-1)
    z = torch.zeros_like(h).scatter_(-1, indices, values.relu())
else:
    z = h.relu()
expected = z @ w["W_dec"] + w["b_dec"]

error = (sae(x) - expected).abs().max().item() / expected.abs().max().item()
assert error < 1e-5, error
assert sae.cfg.metadata.hook_name, "SAELens lost the metadata"
print(f"{type(sae).__name__} of {sae.cfg.metadata.hook_name}: {sae.cfg.d_sae} latents, relative error {error:.1e}")
