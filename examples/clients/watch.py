"""Trains an SAE through the local API and watches it live.

    pip install requests websockets
    python watch.py --layer 2 --latent-dim 512 --epochs 2
"""

import argparse
import json
import os
import pathlib
import sys
import time

import requests
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

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
            requests.get(server["url"] + "/health", timeout=5).raise_for_status()
            return server["url"], server["token"] or ""
        except (OSError, ValueError):
            continue  # a server that was killed leaves its file behind
    sys.exit("No server answers. Start one with: iw serve")


def checked(reply):
    """The reply's JSON. Ends the program with the server's sentence if that refused."""
    return reply.json() if reply.ok else sys.exit("{message} {hint}".format(**reply.json()["error"]))


def messages():
    """What the server tells, over a new connection whenever one drops."""
    for _ in range(30):
        try:
            with connect(url.replace("http", "ws", 1) + "/ws", additional_headers=headers) as socket:
                yield from map(json.loads, socket)
        except (OSError, WebSocketException) as error:
            print(f"No connection ({error}); trying again.", file=sys.stderr)
        time.sleep(1)
    sys.exit(f"{url} is gone.")


flags = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
flags.add_argument("--layer", dest="layer_idx", type=int, required=True, help="the layer to train on")
flags.add_argument("--activations", dest="activation_data_path", type=os.path.abspath, help="a .parquet file of them")
flags.add_argument("--latent-dim", dest="latent_dim", type=int, help="number of latents")
flags.add_argument("--epochs", dest="max_epochs", type=int, help="times the text is read")
wanted = vars(flags.parse_args())
url, token = find_server()
headers = {"Authorization": f"Bearer {token}"}
job_id = checked(requests.post(url + "/sae/train", json=wanted, headers=headers))["job_id"]
shown = None
try:
    for message in messages():
        if message["type"] == "training_progress" and message["job_id"] == job_id:
            line = f"Training {message['progress']:.1f}% complete, epoch {message['epoch']}"
            if line != shown:
                print(f"{line}, loss {message['metrics']['train_loss']}", flush=True)
            shown = line
            if message["status"] in ("completed", "failed", "cancelled", "interrupted"):
                break
except KeyboardInterrupt:
    print(f"\nJob {job_id} goes on without you.", file=sys.stderr)
    sys.exit(130)
job = checked(requests.get(f"{url}/sae/training/status/{job_id}", headers=headers))
if job["status"] != "completed":
    problem = job.get("error", {"message": "what was trained is kept in", "hint": job["output_dir"]})
    sys.exit(f"Training {job['status']}: {problem['message']} {problem['hint']}")
print("Training complete:", job["model_path"])
