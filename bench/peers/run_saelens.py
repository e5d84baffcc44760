"""SAELens's own SAETrainer.fit on a TopKTrainingSAE; `--sparse`: with its sparse activations, which is not its default."""

from feed import Evaluate, Feed, Finished  # isort: skip

import sys
from collections.abc import Iterator
from importlib.metadata import version
from itertools import chain

import torch
from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig
from sae_lens.config import LanguageModelSAERunnerConfig, LoggingConfig
from sae_lens.training.sae_trainer import SAETrainer


def main() -> None:
    feed = Feed()
    sparse = "--sparse" in sys.argv
    # The runner's defaults, and what the example of its documentation sets: activations scaled to a mean norm of sqrt(d), and
    # the learning rate decayed over the last 20 % of training.
    runner = LanguageModelSAERunnerConfig(
        sae=TopKTrainingSAEConfig(
            d_in=feed.width,
            d_sae=feed.latents,
            k=feed.k,
            normalize_activations="expected_average_only_in",
            # Scaling sparse activations by the decoder's norms has no backward pass on a CPU.
            use_sparse_activations=sparse,
            rescale_acts_by_decoder_norm=not sparse,
        ),
        training_tokens=feed.steps * feed.batch,
        train_batch_size_tokens=feed.batch,
        lr_decay_steps=feed.steps // 5,
        n_batches_for_norm_estimate=feed.normalization_batches,
        context_size=1,
        seed=feed.seed,
        device="cpu",
        verbose=False,
        logger=LoggingConfig(log_to_wandb=False),
        checkpoint_path=None,
        output_path=None,
    )
    sae = TopKTrainingSAE(runner.sae)

    def evaluate() -> Evaluate:
        sae.eval()

        def reconstruct(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            activations = sae.encode(trainer.activation_scaler.scale(x))
            reconstruction = trainer.activation_scaler.unscale(sae.decode(activations))
            dense = activations.to_dense() if activations.is_sparse else activations
            return reconstruction, (dense > 0).sum(dim=-1)

        return reconstruct

    def data() -> Iterator[torch.Tensor]:
        settings = (
            f"lr {runner.lr:g}, constant, to 0 over the last 20 %; Adam {runner.adam_beta1:g}/{runner.adam_beta2:g}; "
            f"{runner.sae.normalize_activations}; aux {runner.sae.aux_loss_coefficient:g} after "
            f"{runner.dead_feature_window} steps; {'sparse activations, not rescaled' if sparse else 'dense activations'}"
        )
        return chain(feed.normalization(), feed.batches(version("sae-lens"), settings, evaluate))

    trainer = SAETrainer(cfg=runner.to_sae_trainer_config(), sae=sae, data_provider=data())
    # The schedules are made: one batch more is asked for, so that the time of the last step ends.
    trainer.cfg.total_training_samples += feed.batch
    try:
        trainer.fit()
    except Finished:
        pass


main()
