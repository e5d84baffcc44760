/**
 * What the benchmark and a contestant, ours or a Python library's, say to each other: one JSON value a line. A contestant reads
 * its task, sets up, says that it is ready, and then does one thing at a time when it is told to.
 */

/** The first line that a contestant is sent. Files are raw: little-endian float32 rows, [rows, width], and uint32. */
export interface ContestantTask {
  width: number;
  latents: number;
  k: number;
  batch: number;
  /** Steps of the whole training, which schedules depend on. */
  steps: number;
  rows: string;
  /** Which rows the batches are made of, one after the other; begun anew when it is used up. */
  order: string;
  held_out: string;
  /** Rows, in training order, that constants of normalisation are taken from. */
  normalization_rows: number;
  threads: number;
  seed: number;
}

export type Command = 'step' | 'evaluate' | 'end';

/** The answers: to the task, and to each command. */
export interface Ready {
  ready: true;
  version: string;
  /** The settings that matter, in words. */
  settings: string;
}
export interface Stepped {
  ms: number;
}
export interface Evaluated {
  /** 1 − Σ‖x − x̂‖² / Σ‖x − x̄‖² over the held-out rows. */
  explained_variance: number;
  l0: number;
}
export interface Ended {
  /** 0 where the system does not tell. */
  peak_rss_bytes: number;
  note?: string;
}
