import { emptyMetrics, type EngineProgress, type JobStatus, type Metrics, type Phase } from '../shared/events.js';

/** Least time between two reports that nothing urgent caused, in milliseconds. */
const interval = 100;
/** How long a phase must have run before its own speed is trusted, in milliseconds. */
const evidence = 2000;

export interface TrainingPosition {
  step: number;
  totalSteps: number;
  stepsPerEpoch: number;
  batchSize: number;
}

/**
 * Turns work done into progress events. The estimate of the time left is the rest of the current phase at the speed this phase
 * has had in this attempt (before it has one: what it was expected to take), plus what the later phases are expected to take;
 * it is null while either is unknown.
 */
export class Progress {
  readonly #send: (progress: EngineProgress) => void;
  readonly #now: () => number;
  readonly #expected = new Map<Phase, number>();
  /** What the current phase was expected to take. */
  #ahead: number | undefined;
  #status: JobStatus = 'preparing';
  #phase: Phase = 'loading_model';
  #total = 1;
  #done = 0;
  #doneAtStart = 0;
  #tokensPerUnit: number | null = null;
  #startedAt: number;
  #pausedAt: number | undefined;
  #lastSent = -Infinity;
  #metrics: Metrics = emptyMetrics;
  #position: TrainingPosition | undefined;

  constructor(send: (progress: EngineProgress) => void, now: () => number = () => performance.now()) {
    this.#send = send;
    this.#now = now;
    this.#startedAt = now();
  }

  /**
   * Begins a phase of `total` units of work, `done` of which an earlier attempt did. A unit is `tokensPerUnit` tokens, null
   * where it is none.
   */
  begin(status: JobStatus, phase: Phase, total = 1, done = 0, tokensPerUnit: number | null = null): void {
    this.#ahead = this.#expected.get(phase);
    this.#expected.delete(phase);
    this.#status = status;
    this.#phase = phase;
    this.#total = total;
    this.#done = done;
    this.#doneAtStart = done;
    this.#tokensPerUnit = tokensPerUnit;
    this.#startedAt = this.#now();
    this.report();
  }

  /** Says how many units of the phase are done; reports if the last report was a while ago. */
  advance(done: number): void {
    this.#done = done;
    if (this.#now() - this.#lastSent >= interval) this.report();
  }

  /** The training position and the latest metrics, shown in every report from now on. */
  training(position: TrainingPosition, metrics: Metrics): void {
    this.#position = position;
    this.#metrics = metrics;
  }

  /** Seconds that a later phase will take, in all likelihood. */
  expect(phase: Phase, seconds: number): void {
    this.#expected.set(phase, seconds);
  }

  /** Reports where work pauses. Paused time counts neither for speeds nor for estimates. */
  pause(paused: boolean): void {
    if (paused) {
      this.report();
      this.#pausedAt = this.#now();
    } else if (this.#pausedAt !== undefined) {
      this.#startedAt += this.#now() - this.#pausedAt;
      this.#pausedAt = undefined;
    }
  }

  /** Units per second of the current phase, null until there is evidence. */
  get speed(): number | null {
    const elapsed = this.#now() - this.#startedAt;
    const done = this.#done - this.#doneAtStart;
    return elapsed >= evidence && done > 0 ? (1000 * done) / elapsed : null;
  }

  get tokensPerSecond(): number | null {
    const { speed } = this;
    return speed === null || this.#tokensPerUnit === null ? null : speed * this.#tokensPerUnit;
  }

  get remaining(): number | null {
    const left = Math.max(0, this.#total - this.#done);
    const { speed } = this;
    if (this.#ahead === undefined && this.#expected.size === 0) return null;
    if (this.#ahead === undefined && speed === null) return null;
    let seconds = speed === null ? (left / this.#total) * this.#ahead! : left / speed;
    for (const later of this.#expected.values()) seconds += later;
    return seconds;
  }

  report(): void {
    this.#lastSent = this.#now();
    const { step, totalSteps, stepsPerEpoch, batchSize } = this.#position ?? nowhere;
    const totalEpochs = Math.ceil(totalSteps / stepsPerEpoch);
    const fraction = totalSteps > 0 ? step / totalSteps : 0;
    this.#send({
      status: this.#status,
      phase: this.#phase,
      epoch: Math.min(totalEpochs, Math.ceil(step / stepsPerEpoch)),
      total_epochs: totalEpochs,
      progress: Math.min(99.9, 100 * fraction),
      phase_progress: Math.min(100, (100 * this.#done) / Math.max(this.#total, 1)),
      metrics: this.#metrics,
      estimated_remaining: this.remaining,
      step,
      total_steps: totalSteps,
      tokens: step * batchSize,
      tokens_per_second: this.tokensPerSecond,
    });
  }
}

const nowhere: TrainingPosition = { step: 0, totalSteps: 0, stepsPerEpoch: 1, batchSize: 0 };
