import type { Problem } from './errors.js';
import type { EngineProgress, Metrics, Phase } from './events.js';
import type { LogComponent, LogLevel } from './logs.js';
import type { ResolvedConfig, SaeConfig } from './config.js';

/** The typed channel between the workbench and an engine process. An engine runs one task and exits. */

/** A training job in a run folder; `resume` continues from the folder's newest checkpoint. */
export interface TrainTask {
  kind: 'train';
  config: SaeConfig;
  runDir: string;
  resume: boolean;
  /** A run that needs more is refused; absent, the machine's memory is the limit. */
  memoryLimitBytes?: number;
}

/** Records one hook point's activations to a Parquet file. */
export interface ExtractTask {
  kind: 'extract';
  config: SaeConfig;
  out: string;
  encoding: 'fixed' | 'list';
  textSnippets: boolean;
}

/** Metrics of a trained SAE, on its own held-out text or on the text given. */
export interface EvaluateTask {
  kind: 'evaluate';
  runDir: string;
  text?: string[];
  threads?: number;
}

/** The hook points of a model. */
export interface HooksTask {
  kind: 'hooks';
  model: string;
}

/** What a training would take on this machine, measured in a few seconds. Writes nothing that stays. */
export interface EstimateTask {
  kind: 'estimate';
  config: SaeConfig;
  /** As in `TrainTask`. */
  memoryLimitBytes?: number;
}

export type Task = TrainTask | ExtractTask | EvaluateTask | HooksTask | EstimateTask;

/** A place in the model whose activations can be read. */
export interface HookDescription {
  /** TransformerLens name, e.g. `blocks.2.hook_resid_post`. */
  name: string;
  /** Name of the tensor in the ONNX graph. */
  tensor: string;
  layer: number | null;
  width: number;
}

export interface TrainResult {
  weightsPath: string;
  metrics: Metrics;
  /** Most memory that the engine held at once. */
  peakRssBytes: number;
}
export interface ExtractResult {
  path: string;
  rows: number;
  width: number;
  bytes: number;
}
export interface HooksResult {
  model: string;
  hooks: HookDescription[];
}

/** Held-out metrics by the definitions of the field; what cannot be known is null with a reason in `notes`. */
export interface Evaluation {
  tokens: number;
  explained_variance: number | null;
  fvu: number | null;
  l0: number | null;
  /** Latents that fired on no token of the last training epoch; null where no training run is at hand. */
  dead_features: number | null;
  dead_fraction: number | null;
  cosine: number | null;
  l2_ratio: number | null;
  mse: number | null;
  cross_entropy: {
    tokens: number;
    clean: number;
    sae: number;
    zero: number;
    mean: number;
    /** (CE_zero − CE_sae) / (CE_zero − CE_clean) */
    loss_recovered: number | null;
    /** The same against mean ablation. */
    loss_recovered_mean: number | null;
  } | null;
  /** Histogram of log10 firing frequency over the evaluated tokens: `edges.length = counts.length + 1`. */
  density: { edges: number[]; counts: number[]; never: number };
  /** Unit of each metric. */
  units: Record<string, string>;
  /** Why a value is null. */
  notes: Record<string, string>;
  /** What was evaluated: documents held out of training, or the files given. */
  text: string;
}

/** What a training takes: the amounts of data by the text's own arithmetic, the times from running a little of the work. */
export interface Estimate {
  /** With every default filled in. */
  config: ResolvedConfig;
  /** d, the width of the activations. */
  width: number;
  /** Training tokens of one epoch. */
  tokens_per_epoch: number;
  /** Whether all of the data was counted; false where only a sample of a long text was. */
  exact: boolean;
  steps: number;
  /** Training tokens of all steps. */
  tokens: number;
  /**
   * Of running the model or reading recorded activations, of training steps, and of both together over all epochs.
   */
  tokens_per_second: { extracting: number; training: number; both: number };
  /** Of the whole job, all phases. */
  seconds: number;
  seconds_by_phase: Record<Phase, number>;
  /** Most disk space the run takes at once: activations, checkpoints and results. */
  disk_bytes: number;
  memory_bytes: number;
}

export interface TaskResults {
  train: TrainResult;
  extract: ExtractResult;
  evaluate: Evaluation;
  hooks: HooksResult;
  estimate: Estimate;
}

export type HostMessage = { type: 'run'; task: Task } | { type: 'pause' } | { type: 'resume' } | { type: 'cancel' };

export type EngineMessage =
  | { type: 'heartbeat' }
  | { type: 'log'; time: number; component: LogComponent; level: LogLevel; message: string; stack?: string }
  | { type: 'progress'; progress: EngineProgress }
  | { type: 'paused' }
  | { type: 'resumed' }
  | { type: 'cancelled'; checkpoint: string | null }
  | { type: 'failed'; problem: Problem }
  | { type: 'done'; result: TaskResults[Task['kind']] };
