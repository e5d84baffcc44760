import { mkdir, rm } from 'node:fs/promises';
import { writeFileAtomic } from '../../run/atomic.js';
import { cacheDir, checkpointsDir, evaluationPath, weightsPath } from '../../run/layout.js';
import type { Evaluation } from '../../shared/messages.js';
import type { TaskContext } from '../context.js';
import { environment } from '../data/provenance.js';
import { spread } from '../evaluation/blocks.js';
import { evaluateSae } from '../evaluation/evaluate.js';

import { textAround } from '../features/text.js';
import { collectFeatures } from '../features/collect.js';
import { writeFeatures } from '../features/write.js';
import { SplicedModel } from '../model/session.js';
import type { Progress } from '../progress.js';
import { writeSaelens } from '../sae/formats/saelens.js';
import { SaeInference } from '../sae/infer.js';
import type { SaeWeights } from '../sae/weights.js';
import type { TrainingData } from './data.js';

export interface Finish {
  runDir: string;
  data: TrainingData;
  /** The trained SAE, in the model's units. */
  weights: SaeWeights;
  /** How often each latent fired in the last training epoch, [n]. */
  fired: Uint32Array;
  threads: number;
  context: TaskContext;
  progress: Progress;
}

/** Evaluates a trained SAE, finds its features' examples and writes the results; then the run needs no checkpoint any more. */
export async function finish(job: Finish): Promise<void> {
  const { runDir, data, weights, threads, context, progress } = job;
  const inference = await SaeInference.create(weights, threads);
  try {
    const evaluation = await evaluate(job, inference);
    await writeFileAtomic(evaluationPath(runDir), `${JSON.stringify(evaluation, null, 2)}\n`);
    if (data.config.feature_tokens > 0) await features(job, inference);
  } finally {
    await inference.dispose();
  }
  progress.begin('training', 'saving');
  const { opened } = data.language ?? {};
  await mkdir(runDir, { recursive: true });
  await writeSaelens(runDir, weights, {
    model_name: opened?.files.name ?? null,
    hook_name: opened?.hook.name ?? null,
    dataset_path: (data.config.text ?? [data.config.activation_data_path]).join(', '),
    context_size: data.language ? data.config.context_size : null,
    prepend_bos: data.language ? data.config.prepend_bos : null,
    exclude_special_tokens: opened ? [...opened.tokenizer.specialIds] : false,
    interpretability_workbench: environment(threads).version,
  });
  await rm(checkpointsDir(runDir), { recursive: true, force: true });
  await rm(cacheDir(runDir), { recursive: true, force: true });
  context.log('sae', 'INFO', `Wrote ${weightsPath(runDir)}`);
}

async function evaluate(job: Finish, inference: SaeInference): Promise<Evaluation> {
  const { data, weights, context, progress, fired, threads } = job;
  const { config, language } = data;
  const groups =
    data.heldOutGroups.length > 0
      ? spread(data.heldOutGroups, data.rowCount, config.evaluation_tokens)
      : data.heldOutGroups;
  const rows = groups.reduce((sum, group) => sum + data.rowCount(group), 0);
  const arms = language && config.cross_entropy_tokens > 0;
  progress.begin('training', 'evaluating', arms ? 2 : 1);
  context.log('sae', 'INFO', `Evaluating on ${rows} held-out tokens`);
  const spliced = arms
    ? await SplicedModel.open(language.opened.files, language.opened.hook, { threads, graph: language.opened.graph })
    : null;
  try {
    return await evaluateSae({
      inference,
      width: weights.width,
      latents: weights.latents,
      blocks: data.blocks(groups),
      language: spliced && {
        tapped: language!.opened.model,
        spliced,
        contexts: language!.contexts,
        list: data.heldOutGroups,
        maxTokens: config.cross_entropy_tokens,
      },
      deadFeatures: fired.reduce((dead, count) => dead + (count === 0 ? 1 : 0), 0),
      text: language ? 'documents held out of training' : 'recorded activations held out of training',
      notes: arms
        ? {}
        : {
            cross_entropy: language
              ? 'cross_entropy_tokens is 0.'
              : 'Recorded activations come without the model that made them.',
          },
      control: context.control,
      onProgress: ({ tokens, crossEntropy }) => {
        progress.advance(tokens / Math.max(1, rows) + crossEntropy);
      },
    });
  } finally {
    await spliced?.dispose();
  }
}

async function features({ runDir, data, weights, context, progress }: Finish, inference: SaeInference): Promise<void> {
  const { config, language } = data;
  const groups = spread(data.trainGroups, data.rowCount, config.feature_tokens);
  const rows = groups.reduce((sum, group) => sum + data.rowCount(group), 0);
  progress.begin('training', 'features', rows);
  context.log('sae', 'INFO', `Searching ${rows} tokens for the strongest examples of each latent`);
  const { control } = context;
  const top = await collectFeatures({
    inference,
    width: weights.width,
    latents: weights.latents,
    blocks: data.blocks(groups),
    control,
    onProgress: (tokens) => {
      progress.advance(tokens);
    },
  });
  await writeFeatures(runDir, top, language && textAround(language.contexts, language.opened.tokenizer), control);
}
