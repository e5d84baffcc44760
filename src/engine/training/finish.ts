import { rm } from 'node:fs/promises';
import { writeFileAtomic } from '../../run/atomic.js';
import { cacheDir, checkpointsDir, evaluationPath, weightsPath } from '../../run/layout.js';
import type { Evaluation } from '../../shared/messages.js';
import type { TaskContext } from '../context.js';
import { environment } from '../data/provenance.js';
import { spread } from '../evaluation/blocks.js';
import { openLanguage, type OpenedLanguage } from '../evaluation/language.js';
import { evaluateSae } from '../evaluation/evaluate.js';
import { textAround } from '../features/text.js';
import { collectFeatures, type TopExamples } from '../features/collect.js';
import { writeFeatures } from '../features/write.js';
import type { Progress } from '../progress.js';
import { writeSaelens } from '../sae/formats/saelens.js';
import { SaeInference } from '../sae/infer.js';
import type { SaeWeights } from '../sae/weights.js';
import type { TrainingData } from './data.js';
import { profiler } from '../profile.js';

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
  let evaluation: Evaluation;
  let examples: TopExamples | null;
  try {
    evaluation = await evaluate(job, inference);
    examples = data.config.feature_tokens > 0 ? await collect(job, inference) : null;
  } finally {
    await inference.dispose();
  }
  progress.begin('training', 'saving');
  await profiler.spend('disk', () => save(job, evaluation, examples));
  context.log('sae', 'INFO', `Wrote ${weightsPath(runDir)}`);
}

async function save(
  { runDir, data, weights, threads, context }: Finish,
  evaluation: Evaluation,
  examples: TopExamples | null,
): Promise<void> {
  const { config, language } = data;
  await writeFileAtomic(evaluationPath(runDir), `${JSON.stringify(evaluation, null, 2)}\n`);
  if (examples) {
    const text = language && textAround(language.contexts, language.opened.tokenizer);
    await writeFeatures(runDir, examples, text, context.control);
  }
  await writeSaelens(runDir, weights, {
    model_name: language?.opened.files.name ?? null,
    hook_name: language?.opened.hook.name ?? null,
    dataset_path: config.activation_data_path ?? (config.text ?? ['bundled:sample']).join(', '),
    context_size: language ? config.context_size : null,
    prepend_bos: language ? config.prepend_bos : null,
    exclude_special_tokens: language ? [...language.opened.tokenizer.specialIds] : false,
    interpretability_workbench: environment(threads).version,
  });
  // the checkpoint last: from it alone a run that is killed here need not be trained again
  await rm(cacheDir(runDir), { recursive: true, force: true });
  await rm(checkpointsDir(runDir), { recursive: true, force: true });
}

function total({ rowCount }: TrainingData, groups: Uint32Array): number {
  return groups.reduce((sum, group) => sum + rowCount(group), 0);
}

async function evaluate(job: Finish, inference: SaeInference): Promise<Evaluation> {
  const { data, weights, context, progress, fired, threads } = job;
  const { config, heldOutGroups: list } = data;
  const groups = spread(list, data.rowCount, config.evaluation_tokens);
  const rows = total(data, groups);
  context.log('sae', 'INFO', `Evaluating on ${rows} held-out tokens`);
  const { language, notes, dispose } = data.language
    ? await openLanguage(data.language.opened, {
        contexts: data.language.contexts,
        list,
        maxTokens: config.cross_entropy_tokens,
        threads,
      })
    : withoutModel;
  // The cross entropies take about as long as everything before them.
  progress.begin('training', 'evaluating', language ? 2 : 1);
  try {
    return await evaluateSae({
      inference,
      width: weights.width,
      latents: weights.latents,
      blocks: data.blocks(groups),
      language,
      deadFeatures: fired.reduce((dead, count) => dead + (count === 0 ? 1 : 0), 0),
      text: `${data.language ? 'documents' : 'recorded activations'} held out of training`,
      notes,
      control: context.control,
      onProgress: ({ tokens, crossEntropy }) => {
        progress.advance(tokens / Math.max(1, rows) + crossEntropy);
      },
    });
  } finally {
    await dispose();
  }
}

const withoutModel: OpenedLanguage = {
  language: null,
  notes: { cross_entropy: 'Recorded activations come without the model that made them.' },
  dispose: () => Promise.resolve(),
};

async function collect({ data, weights, context, progress }: Finish, inference: SaeInference): Promise<TopExamples> {
  const groups = spread(data.trainGroups, data.rowCount, data.config.feature_tokens);
  const rows = total(data, groups);
  progress.begin('training', 'features', rows, 0, 1);
  context.log('sae', 'INFO', `Searching ${rows} tokens for the strongest examples of each latent`);
  return collectFeatures({
    inference,
    width: weights.width,
    latents: weights.latents,
    blocks: data.blocks(groups),
    control: context.control,
    onProgress: (tokens) => {
      progress.advance(tokens);
    },
  });
}
