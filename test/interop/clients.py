"""Runs the Python example clients against a server of this checkout, which has been built.

    pip install requests websockets
    python test/interop/clients.py
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
home = tempfile.TemporaryDirectory()
environment = {**os.environ, "HOME": home.name, "USERPROFILE": home.name, "http_proxy": "http://127.0.0.1:1"}
for name in ("IW_URL", "IW_TOKEN"):
    environment.pop(name, None)


def start(*command, stderr=subprocess.PIPE, **more):
    options = {"stdout": subprocess.PIPE, "stderr": stderr, "text": True}
    return subprocess.Popen(command, cwd=home.name, env={**environment, **more}, **options)


def client(name, *flags, **more):
    """Runs an example client to its end: exit code, standard output and standard error."""
    process = start(sys.executable, str(root / "examples" / "clients" / name), *flags, **more)
    out, err = process.communicate(timeout=120)
    return process.returncode, out.splitlines(), err


(pathlib.Path(home.name) / "a.txt").write_text("The people of this nation. " * 400)
source = ["--model", str(root / "test" / "fixtures" / "tiny-sotu-gpt2"), "--text", "a.txt"]
for name in ("poll.py", "watch.py"):
    code, _, err = client(name, "--layer", "1")
    assert code == 1 and err.strip() == "No server answers. Start one with: iw serve", err

serve = ["node", str(root / "dist" / "cli.js"), "serve", "--port", "0", "--concurrency", "4", *source]
server = start(*serve, stderr=subprocess.DEVNULL)
try:
    url = server.stdout.readline().split()[1]
    while "clients find it in" not in server.stdout.readline():
        pass
    for name in ("poll.py", "watch.py"):
        code, lines, err = client(name, "--layer", "1", "--latent-dim", "64", "--epochs", "2")
        assert code == 0, err
        assert re.fullmatch(r"Training complete: .*sae_weights\.safetensors", lines[-1]), lines[-1]
        assert re.match(r"Training 100\.0% complete, epoch 2( of 2)?, loss \d", lines[-2]), lines[-2]

        code, _, err = client(name, "--layer", "1", "--activations", "none.parquet")
        assert code == 1 and "There is nothing at" in err, err
        code, _, err = client(name, "--layer", "99")
        assert code == 1 and "Training failed: The model has no layer 99" in err, err
        code, _, err = client(name, "--layer", "1", IW_URL=url, IW_TOKEN="not-the-token-of-it")
        assert code == 1 and err.startswith("The token is missing or wrong."), err

        endless = start(sys.executable, str(root / "examples" / "clients" / name), "--layer", "1", "--epochs", "1000000")
        endless.stdout.readline()
        endless.send_signal(signal.SIGINT)
        _, err = endless.communicate(timeout=120)
        assert endless.returncode == 130 and "goes on without you" in err, err
        print(name, "works")
finally:
    server.terminate()
    server.communicate(timeout=120)
    home.cleanup()
