import { readdir } from 'node:fs/promises';
import path from 'node:path';

/** Where everything is in a run folder. */

export const configPath = (dir: string) => path.join(dir, 'config.sae.json');
export const jobPath = (dir: string) => path.join(dir, 'job.json');
export const metricsPath = (dir: string) => path.join(dir, 'metrics.jsonl');
/** Where the run's time went. */
export const profilePath = (dir: string) => path.join(dir, 'profile.json');
export const evaluationPath = (dir: string) => path.join(dir, 'evaluation.json');
/** The result and its description, in SAELens's format. */
export const weightsPath = (dir: string) => path.join(dir, 'sae_weights.safetensors');
export const saeLensConfigPath = (dir: string) => path.join(dir, 'cfg.json');
export const lockPath = (dir: string) => path.join(dir, 'lock');
export const checkpointsDir = (dir: string) => path.join(dir, 'checkpoints');
export const checkpointDir = (dir: string, step: number) => path.join(checkpointsDir(dir), String(step));
export const featuresDir = (dir: string) => path.join(dir, 'features');
export const latentsPath = (dir: string) => path.join(featuresDir(dir), 'latents.parquet');
export const examplesPath = (dir: string) => path.join(featuresDir(dir), 'examples.parquet');
/** Contexts and activation shards; removed when the run completes. */
export const cacheDir = (dir: string) => path.join(dir, 'cache');

/** The steps a run folder has whole checkpoints of, newest first. A checkpoint in the making has another name. */
export async function checkpointSteps(dir: string): Promise<number[]> {
  let names: string[];
  try {
    names = await readdir(checkpointsDir(dir));
  } catch {
    return [];
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => b - a);
}

/** The newest whole checkpoint's folder, or null. */
export async function newestCheckpoint(dir: string): Promise<string | null> {
  const [step] = await checkpointSteps(dir);
  return step === undefined ? null : checkpointDir(dir, step);
}
