"""
sparsify's own Trainer.fit with its default TrainConfig. It trains on what a module of a model puts out: here of a model that
only hands on the rows it is given.
"""

from feed import Evaluate, Feed, Finished  # isort: skip

import tempfile
from importlib.metadata import version
from types import SimpleNamespace

import torch
from sparsify import SaeConfig, TrainConfig, Trainer
from torch import Tensor, nn


class Recorded(nn.Module):
    """A model whose only module puts out the rows that lie ready."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.activations = nn.Identity()
        self.ready = torch.zeros(1, width)
        self.config = SimpleNamespace(num_hidden_layers=1)
        self.device = torch.device("cpu")
        self.dummy_inputs = {"input_ids": torch.zeros(1, 1, dtype=torch.long)}

    @property
    def base_model(self) -> "Recorded":
        return self

    def forward(self, input_ids: Tensor) -> Tensor:
        return self.activations(self.ready.unsqueeze(0))


class Sequences:
    """A data set of one sequence of tokens for each step; asking for one puts its rows into the model, and ends a step."""

    def __init__(self, feed: Feed, model: Recorded) -> None:
        self._steps = feed.steps
        self._model = model
        self._tokens = torch.zeros(feed.batch, dtype=torch.long)
        self.batches = iter(())

    def __len__(self) -> int:
        return self._steps + 1

    def __getitem__(self, _: int) -> dict[str, Tensor]:
        self._model.ready = next(self.batches)
        return {"input_ids": self._tokens}


def main() -> None:
    feed = Feed()
    model = Recorded(feed.width)
    data = Sequences(feed, model)
    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig(
            SaeConfig(num_latents=feed.latents, k=feed.k),
            batch_size=1,
            hookpoints=["activations"],
            init_seeds=[feed.seed],
            save_every=2**31,
            save_dir=folder,
            log_to_wandb=False,
        )
        trainer = Trainer(config, data, model)
        (sae,) = trainer.saes.values()
        (optimizer,) = trainer.optimizers

        def evaluate() -> Evaluate:
            # as the trainer does when it saves: the schedule-free average of the parameters, not where the next step is taken
            parameters = [parameter.detach().clone() for parameter in sae.parameters()]
            optimizer.eval()

            def reconstruct(x: Tensor) -> tuple[Tensor, Tensor]:
                out = averaged(x)
                return out.sae_out, (out.latent_acts > 0).sum(dim=-1)

            averaged = copy_of(sae)
            optimizer.train()
            for parameter, value in zip(sae.parameters(), parameters):
                parameter.data.copy_(value)
            return reconstruct

        (group,) = optimizer.param_groups
        settings = (
            f"{config.optimizer}, schedule-free, lr {group['lr']:g} (its own choice), no warm-up; activations as they are; "
            f"auxk {config.auxk_alpha:g}"
        )
        data.batches = feed.batches(version("eai-sparsify"), settings, evaluate)
        try:
            trainer.fit()
        except Finished:
            pass


def copy_of(sae: nn.Module) -> nn.Module:
    copy = type(sae)(sae.d_in, sae.cfg)
    copy.load_state_dict(sae.state_dict())
    return copy


main()
