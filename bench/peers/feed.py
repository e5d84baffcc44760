"""The protocol of protocol.ts, for training loops of other libraries: they pull batches, and are paced by when they get one."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

# What libraries print, also while they are imported, must not mix with the answers: this module is imported before them.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

Evaluate = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]

EVALUATION_ROWS = 2048


class Finished(Exception):
    """Raised into a library's loop when no more batches are wanted."""


class Feed:
    def __init__(self) -> None:
        task = json.loads(sys.stdin.readline())
        self.width: int = task["width"]
        self.latents: int = task["latents"]
        self.k: int = task["k"]
        self.batch: int = task["batch"]
        self.steps: int = task["steps"]
        self.seed: int = task["seed"]
        self.normalization_batches: int = max(1, task["normalization_rows"] // self.batch)
        self._rows = np.memmap(task["rows"], dtype=np.float32, mode="r").reshape(-1, self.width)
        self._order = np.fromfile(task["order"], dtype=np.uint32)
        self._held_out = np.fromfile(task["held_out"], dtype=np.float32).reshape(-1, self.width)
        torch.set_num_threads(task["threads"])
        torch.manual_seed(self.seed)

    def batch_at(self, step: int) -> torch.Tensor:
        """The batch of a step, [batch, width], a copy of its own."""
        first = (step * self.batch) % len(self._order)
        return torch.from_numpy(self._rows[self._order[first : first + self.batch]])

    def normalization(self) -> Iterator[torch.Tensor]:
        """The batches that constants are taken from: the first ones, before any is trained on."""
        for step in range(self.normalization_batches):
            yield self.batch_at(step)

    def batches(self, version: str, settings: str, evaluate: Callable[[], Evaluate]) -> Iterator[torch.Tensor]:
        """
        A batch for each step that is asked for. A step lasts from when its batch is handed out until the next one is asked for.
        `evaluate` gives a function from rows to reconstructions and numbers of active latents, [rows].
        """
        self._answer(ready=True, version=version, settings=settings)
        step = 0
        while True:
            command = sys.stdin.readline().strip()
            if command == "evaluate":
                self._answer(**self._evaluate(evaluate()))
            elif command == "step":
                batch = self.batch_at(step)
                step += 1
                start = time.perf_counter()
                yield batch
                self._answer(ms=1000 * (time.perf_counter() - start))
            else:
                self._answer(peak_rss_bytes=peak_rss_bytes())
                raise Finished

    @torch.no_grad()
    def _evaluate(self, reconstruct: Evaluate) -> dict[str, float]:
        """1 - sum |x - x_hat|^2 / sum |x - mean|^2 over the held-out rows, in float64."""
        x = self._held_out
        error = 0.0
        active = 0.0
        for first in range(0, len(x), EVALUATION_ROWS):
            rows = torch.from_numpy(x[first : first + EVALUATION_ROWS])
            reconstruction, fired = reconstruct(rows.clone())
            error += (rows.double() - reconstruction.double()).square().sum().item()
            active += fired.double().sum().item()
        variance = float(np.square(x - x.mean(axis=0, dtype=np.float64)).sum())
        return {"explained_variance": 1 - error / variance, "l0": active / len(x)}

    def _answer(self, **answer: object) -> None:
        ANSWERS.write(json.dumps(answer) + "\n")
        ANSWERS.flush()


def peak_rss_bytes() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
