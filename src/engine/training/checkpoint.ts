import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Metrics } from '../../shared/events.js';
import { failure } from '../../shared/errors.js';
import { renameReplacing, syncFolder } from '../../run/atomic.js';
import { checkpointDir, checkpointsDir, checkpointSteps } from '../../run/layout.js';
import type { ShuffleState } from '../activations/shuffle-buffer.js';
import { readSafetensors, writeSafetensors, type Tensor } from '../sae/formats/safetensors.js';
import { profiler } from '../profile.js';

const kept = 2;

/** Where a run stands between two steps: resuming from it continues bit for bit. */
export interface Checkpoint {
  /** Steps taken. */
  step: number;
  metrics: Metrics;
  shuffle: ShuffleState;
  /** The backend's parameters, moments and counters, in training units. */
  tensors: Record<string, Tensor>;
}

const file = (folder: string) => path.join(folder, 'state.safetensors');

/** Writes `checkpoints/<step>`, whole or not at all, and removes all but the newest two. */
export function writeCheckpoint(runDir: string, checkpoint: Checkpoint): Promise<string> {
  return profiler.spend('disk', () => write(runDir, checkpoint));
}

async function write(runDir: string, { step, metrics, shuffle, tensors }: Checkpoint): Promise<string> {
  const folder = checkpointDir(runDir, step);
  // one name for all of them: what a kill leaves behind is replaced by the next
  const part = path.join(checkpointsDir(runDir), '.part');
  const { rows, ...position } = shuffle;
  try {
    await rm(part, { recursive: true, force: true });
    await mkdir(part, { recursive: true });
    await writeSafetensors(
      file(part),
      { ...tensors, shuffle_rows: { dtype: 'U32', shape: [rows.length], data: rows } },
      { step: String(step), metrics: JSON.stringify(metrics), shuffle: JSON.stringify(position) },
    );
    await rm(folder, { recursive: true, force: true });
    await renameReplacing(part, folder);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  await syncFolder(checkpointsDir(runDir));
  for (const old of (await checkpointSteps(runDir)).slice(kept)) {
    await rm(checkpointDir(runDir, old), { recursive: true, force: true });
  }
  return folder;
}

/** The newest checkpoint that can be read, or null where there is none. */
export async function readCheckpoint(runDir: string): Promise<Checkpoint | null> {
  const steps = await checkpointSteps(runDir);
  for (const step of steps) {
    try {
      const { tensors, metadata } = await readSafetensors(file(checkpointDir(runDir, step)));
      const { shuffle_rows, ...rest } = tensors;
      const shuffle = JSON.parse(metadata.shuffle!) as Omit<ShuffleState, 'rows'>;
      return {
        step,
        metrics: JSON.parse(metadata.metrics!) as Metrics,
        shuffle: { ...shuffle, rows: shuffle_rows!.data as Uint32Array },
        tensors: rest,
      };
    } catch {
      // A damaged newest one is what the second is kept for.
    }
  }
  if (steps.length === 0) return null;
  const sentence = `None of the ${steps.length} checkpoints in ${checkpointsDir(runDir)} can be read.`;
  throw failure('run_unreadable', sentence, 'Delete the folder and resume: the run then starts again.');
}

/** Copies a checkpoint's tensors into the backend's. @throws WorkbenchError `resume_mismatch` if they are of another shape. */
export function restoreTensors(into: Record<string, Tensor>, from: Record<string, Tensor>): void {
  for (const [name, { data }] of Object.entries(into)) {
    const saved = from[name];
    if (saved?.data.length !== data.length) {
      const sentence = `The checkpoint was made with another configuration: its ${name} does not fit.`;
      throw failure('resume_mismatch', sentence, 'Resume without changing the configuration, or start a new run.');
    }
    (data as Float32Array).set(saved.data as Float32Array);
  }
}
