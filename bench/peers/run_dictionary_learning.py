"""dictionary_learning's own trainSAE with its TopKTrainer."""

from feed import Evaluate, Feed, Finished  # isort: skip

from collections.abc import Iterator
from importlib.metadata import version

import torch
from dictionary_learning.trainers.top_k import AutoEncoderTopK, TopKTrainer
from dictionary_learning.training import get_norm_factor, trainSAE


class Data:
    """What trainSAE iterates over twice: for the norm of activations, and for training."""

    def __init__(self, feed: Feed, training: Iterator[torch.Tensor]) -> None:
        self._passes = iter([feed.normalization(), training])

    def __iter__(self) -> Iterator[torch.Tensor]:
        return next(self._passes)


def main() -> None:
    feed = Feed()
    norm = get_norm_factor(feed.normalization(), steps=feed.normalization_batches)
    # The trainer's defaults; normalisation and decay over the last 20 % as in the demonstration that its README names. Its
    # warm-up of 1000 steps is more than a short training has: then 5 %.
    warmup = min(1000, max(1, feed.steps // 20))
    made: list[TopKTrainer] = []

    def make(**config: object) -> TopKTrainer:
        made.append(TopKTrainer(**config))
        return made[0]

    def evaluate() -> Evaluate:
        def reconstruct(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            reconstruction, activations = made[0].ae(x / norm, output_features=True)
            return reconstruction * norm, (activations > 0).sum(dim=-1)

        return reconstruct

    lr = 2e-4 / (feed.latents / 2**14) ** 0.5
    settings = (
        f"lr {lr:g} (its own choice), {warmup} steps of warm-up, to 0 over the last 20 %; Adam 0.9/0.999; unit mean square norm; "
        "auxk 1/32 after 10M tokens"
    )
    config = {
        "trainer": make,
        "dict_class": AutoEncoderTopK,
        "activation_dim": feed.width,
        "dict_size": feed.latents,
        "k": feed.k,
        "steps": feed.steps,
        "warmup_steps": warmup,
        "decay_start": int(0.8 * feed.steps),
        "seed": feed.seed,
        "device": "cpu",
        "layer": 0,
        "lm_name": "recorded",
    }
    training = feed.batches(version("dictionary-learning"), settings, evaluate)
    try:
        trainSAE(
            data=Data(feed, training),
            trainer_configs=[config],
            steps=feed.steps,
            normalize_activations=True,
            device="cpu",
        )
    except Finished:
        pass


main()
