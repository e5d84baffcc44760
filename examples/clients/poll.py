"""Trains an SAE through the local API and polls its status. Needs nothing but Python 3.8 or newer.

    python poll.py --layer 2 --latent-dim 512 --epochs 2
"""

import argparse
import json
import os
import pathlib
import sys
import time
import urllib.error
import urllib.request

os.environ["no_proxy"] = "127.0.0.1,localhost"  # what runs on this machine is asked directly


def find_server():
    """Address and token: $IW_URL and $IW_TOKEN, else those of the newest server that answers."""
    if "IW_URL" in os.environ:
        address, _, token = os.environ["IW_URL"].partition("?token=")
        return address.rstrip("/"), token or os.environ.get("IW_TOKEN", "")
    files = pathlib.Path.home().glob(".interpretability-workbench/servers/*.json")
    for file in sorted(files, key=os.path.getmtime, reverse=True):
        try:
            server = json.loads(file.read_text())
            urllib.request.urlopen(server["url"] + "/health", timeout=5).close()
            return server["url"], server["token"] or ""
        except Exception:
            continue  # a server that was killed leaves its file behind
    sys.exit("No server answers. Start one with: iw serve")


def call(method, path, body=None):
    """Sends a request and returns the reply. Ends the program with the server's sentence if that refuses."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url + path, body and json.dumps(body).encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as refusal:
        problem = json.load(refusal)["error"]
        sys.exit(f"{problem['message']} {problem['hint']}")
    except OSError as error:
        sys.exit(f"{url} does not answer: {error}")


flags = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
flags.add_argument("--layer", dest="layer_idx", type=int, required=True, help="the layer to train on")
flags.add_argument("--activations", dest="activation_data_path", type=os.path.abspath, help="a .parquet file of them")
flags.add_argument("--latent-dim", dest="latent_dim", type=int, help="number of latents")
flags.add_argument("--epochs", dest="max_epochs", type=int, help="times the text is read")
wanted = vars(flags.parse_args())

url, token = find_server()
job_id = call("POST", "/sae/train", wanted)["job_id"]
try:
    while True:
        job = call("GET", f"/sae/training/status/{job_id}")
        progress, loss = job["progress"], job["metrics"]["train_loss"]
        epochs = f"epoch {progress['current_epoch']} of {progress['total_epochs']}"
        print(f"Training {progress['percent']:.1f}% complete, {epochs}, loss {loss}", flush=True)
        if job["status"] in ("completed", "failed", "cancelled", "interrupted"):
            break
        time.sleep(1)
except KeyboardInterrupt:
    print(f"\nJob {job_id} goes on without you.", file=sys.stderr)
    sys.exit(130)
if job["status"] != "completed":
    problem = job.get("error", {"message": "what was trained is kept in", "hint": job["output_dir"]})
    sys.exit(f"Training {job['status']}: {problem['message']} {problem['hint']}")
print("Training complete:", job["model_path"])
