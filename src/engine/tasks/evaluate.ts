import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SaeConfig } from '../../shared/config.js';
import { dataDefaults } from '../../shared/defaults.js';
import { inputError } from '../../shared/errors.js';
import type { EvaluateTask, Evaluation } from '../../shared/messages.js';
import { readConfigFile } from '../../run/config-file.js';
import { configPath, evaluationPath } from '../../run/layout.js';
import { importActivations } from '../activations/parquet-read.js';
import type { TaskContext } from '../context.js';
import { openModel, tokenize } from '../data/language-data.js';
import { modelBlocks, spread, storeBlocks } from '../evaluation/blocks.js';
import { openLanguage } from '../evaluation/language.js';
import { evaluateSae, type EvaluationRequest } from '../evaluation/evaluate.js';
import { Progress } from '../progress.js';
import { readSaelens } from '../sae/formats/saelens.js';
import { SaeInference } from '../sae/infer.js';
import type { SaeWeights } from '../sae/weights.js';

/** What both kinds of evaluation need. */
interface Job {
  config: SaeConfig;
  weights: SaeWeights;
  inference: SaeInference;
  /** Where contexts or recorded activations are kept while they are needed. */
  scratch: string;
  threads: number;
  deadFeatures: number | null;
  progress: Progress;
  context: TaskContext;
}

type Known = 'blocks' | 'language' | 'text' | 'notes';

/**
 * Evaluates the trained SAE of a run folder: on the text given, else on what the run held out.
 * @throws WorkbenchError where the folder, its model or the text cannot be used; Cancelled.
 */
export async function runEvaluate(task: EvaluateTask, context: TaskContext): Promise<Evaluation> {
  const progress = new Progress(context.report);
  progress.begin('preparing', 'loading_model');
  const config = await readConfigFile(configPath(task.runDir));
  const { weights } = await readSaelens(task.runDir);
  const threads = task.threads ?? config.threads ?? context.threads;
  const deadFeatures = await deadAfterTraining(task.runDir);
  const inference = await SaeInference.create(weights, threads);
  const scratch = await mkdtemp(path.join(tmpdir(), 'iw-evaluate-'));
  const job = { config, weights, inference, scratch, threads, deadFeatures, progress, context };
  try {
    if (config.activation_data_path !== undefined && !task.text)
      return await onRecorded(job, config.activation_data_path);
    return await onText(job, task.text);
  } finally {
    await inference.dispose();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What the run's own evaluation found; a folder without one is evaluated all the same. */
async function deadAfterTraining(runDir: string): Promise<number | null> {
  try {
    const { dead_features: dead } = JSON.parse(await readFile(evaluationPath(runDir), 'utf8')) as Partial<Evaluation>;
    return dead ?? null;
  } catch {
    return null;
  }
}

async function onRecorded(job: Job, file: string): Promise<Evaluation> {
  const { config, context, progress } = job;
  progress.begin('preparing', 'extracting');
  const store = await importActivations({
    path: file,
    dir: job.scratch,
    dtype: 'float32',
    ...(config.layer_idx === undefined ? {} : { layer: config.layer_idx }),
    ...(config.max_samples === undefined ? {} : { maxSamples: config.max_samples }),
    heldOutFraction: config.held_out_fraction ?? dataDefaults.held_out_fraction,
    seed: config.seed ?? dataDefaults.seed,
    control: context.control,
    onProgress: ({ rows, totalRows }) => {
      progress.advance(rows / totalRows);
    },
  });
  try {
    checkWidth(job, store.width);
    const list = limited(job, store.heldOutGroups, (group) => store.rowCount(group));
    return await evaluate(
      job,
      count(list, (group) => store.rowCount(group)),
      {
        blocks: storeBlocks(store, list, null, context.control),
        language: null,
        text: 'recorded activations held out of training',
        notes: { cross_entropy: 'Recorded activations come without the model that made them.' },
      },
    );
  } finally {
    await store.close();
  }
}

async function onText(job: Job, given: string[] | undefined): Promise<Evaluation> {
  const { config, context, progress, threads, scratch: dir } = job;
  const { control } = context;
  if (config.activation_data_path !== undefined && config.model === undefined) {
    const hint = 'Evaluate it without text, on the recorded activations that were held out.';
    throw inputError('run_unreadable', 'The run was trained on recorded activations and names no model.', hint, 'text');
  }
  const opened = await openModel(config, threads);
  const { model } = opened;
  try {
    checkWidth(job, model.width);
    const text = given ? { ...config, text: given, max_samples: undefined, held_out_fraction: 0 } : config;
    const contexts = await tokenize(text, opened, { dir, control, progress });
    try {
      const candidates = given ? contexts.trainContexts : contexts.heldOutContexts;
      const list = limited(job, candidates, (member) => contexts.rowCount(member));
      const maxTokens = config.cross_entropy_tokens ?? dataDefaults.cross_entropy_tokens;
      const { language, notes, dispose } = await openLanguage(opened, {
        contexts,
        list: candidates,
        maxTokens,
        threads,
      });
      try {
        return await evaluate(
          job,
          count(list, (member) => contexts.rowCount(member)),
          {
            blocks: modelBlocks(model, contexts, list, control),
            language,
            text: given ? given.join(', ') : 'documents held out of training',
            notes,
          },
        );
      } finally {
        await dispose();
      }
    } finally {
      contexts.close();
    }
  } finally {
    await model.dispose();
  }
}

function count(list: Uint32Array, tokens: (member: number) => number): number {
  return list.reduce((sum, member) => sum + tokens(member), 0);
}

function limited({ config }: Job, list: Uint32Array, tokens: (member: number) => number): Uint32Array {
  return spread(list, tokens, config.evaluation_tokens ?? dataDefaults.evaluation_tokens);
}

function checkWidth({ weights }: Job, width: number): void {
  if (weights.width === width) return;
  const sentence = `The SAE is for activations of width ${weights.width}, but these have width ${width}.`;
  throw inputError('resume_mismatch', sentence, 'Evaluate it with the model and hook point it was trained on.');
}

async function evaluate(job: Job, rows: number, known: Pick<EvaluationRequest, Known>): Promise<Evaluation> {
  const { weights, inference, deadFeatures, progress, context } = job;
  // The four arms of the cross entropy take about as long as everything before them.
  const halves = known.language ? 2 : 1;
  progress.begin('preparing', 'evaluating', halves);
  return evaluateSae({
    ...known,
    inference,
    width: weights.width,
    latents: weights.latents,
    deadFeatures,
    control: context.control,
    onProgress: ({ tokens, crossEntropy }) => {
      progress.advance(tokens / Math.max(1, rows) + crossEntropy);
    },
  });
}
