import { fork, type ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import path from 'node:path';
import { failure, WorkbenchError } from '../shared/errors.js';
import type { EngineProgress } from '../shared/events.js';
import type { Log } from '../shared/logs.js';
import type { EngineMessage, HostMessage, Task, TaskResults } from '../shared/messages.js';
import { countMemoryKills, explainDeath } from './engine-death.js';
import { engineEnvironment } from './engine-environment.js';
import { LastWords } from './last-words.js';

export interface EngineOptions {
  /** The engine's program; by default the one built beside this one. */
  enginePath?: string;
  /** Limit of the engine's JavaScript heap in MiB. Arrays of numbers lie outside it. */
  heapMegabytes?: number;
}

/** What a running task tells. */
export interface TaskHandlers {
  log?: Log;
  progress?: (progress: EngineProgress) => void;
  paused?: () => void;
  resumed?: () => void;
  /** False when nothing was heard of the engine for 10 s (a sleeping laptop, a long kernel), true when it is back. */
  responding?: (responding: boolean) => void;
}

export type TaskOutcome<K extends Task['kind']> =
  { status: 'completed'; result: TaskResults[K] } | { status: 'cancelled'; checkpoint: string | null };

/** A task in its own engine process. */
export interface RunningTask<K extends Task['kind']> {
  /** Process id; undefined if the process could not be started. */
  pid: number | undefined;
  /**
   * Settles once the process is gone, and with it its memory and its locks. Rejects with a WorkbenchError: the task's own
   * problem, or `engine_crashed` / `out_of_memory`.
   */
  result: Promise<TaskOutcome<K>>;
  /** Asks the engine to pause; resolves when it has, or has ended instead. */
  pause: () => Promise<void>;
  resume: () => Promise<void>;
  /** Asks the engine to write a checkpoint and stop; kills it if it has not after 10 s. */
  cancel: () => void;
  /** Ends the process at once. */
  kill: () => void;
}

const defaultHeapMegabytes = 4096;
const stopMs = 10_000;
const silenceMs = 10_000;

/** Starts an engine process for one task. */
export function runTask<T extends Task>(
  task: T,
  handlers: TaskHandlers = {},
  options: EngineOptions = {},
): RunningTask<T['kind']> {
  const engine = new EngineProcess<T['kind']>(task, handlers, options);
  return {
    pid: engine.pid,
    result: engine.result,
    pause: () => engine.pause(),
    resume: () => engine.resume(),
    cancel: () => {
      engine.cancel();
    },
    kill: () => {
      engine.kill();
    },
  };
}

/** The engine's large arrays lie outside V8's heap: it needs little room for young objects, and says itself when to clear up. */
const heapFlags = (megabytes: number) => [
  `--max-old-space-size=${megabytes}`,
  '--max-semi-space-size=2',
  '--expose-gc',
];

class EngineProcess<K extends Task['kind']> {
  readonly result: Promise<TaskOutcome<K>>;
  readonly #child: ChildProcess;
  readonly #handlers: TaskHandlers;
  readonly #lastWords: LastWords;
  /** Whoever waits for the engine to pause or to go on. */
  readonly #waiting: (() => void)[] = [];
  #outcome: TaskOutcome<K> | WorkbenchError | undefined;
  #paused = false;
  #cancelled = false;
  #killTimer: NodeJS.Timeout | undefined;
  #silenceTimer: NodeJS.Timeout;
  #responding = true;

  constructor(task: Task, handlers: TaskHandlers, { enginePath, heapMegabytes }: EngineOptions) {
    this.#handlers = handlers;
    this.#silenceTimer = setTimeout(() => {
      this.#setResponding(false);
    }, silenceMs).unref();
    const memoryKills = countMemoryKills();
    this.#child = fork(enginePath ?? path.join(__dirname, 'engine.js'), [], {
      serialization: 'advanced',
      env: engineEnvironment(process.env),
      execArgv: heapFlags(heapMegabytes ?? defaultHeapMegabytes),
      // What native code prints must not mix with this process's own output.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child.on('message', (message) => {
      this.#receive(message as EngineMessage);
    });
    this.#lastWords = new LastWords([this.#child.stdout, this.#child.stderr], (line) =>
      handlers.log?.('engine', 'DEBUG', line),
    );
    this.result = this.#watch(memoryKills);
    this.#lowerPriority();
    this.#send({ type: 'run', task });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async pause(): Promise<void> {
    if (this.#paused || !this.#child.connected) return;
    const paused = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#send({ type: 'pause' });
    await paused;
  }

  async resume(): Promise<void> {
    // A pause that had not begun yet will not begin any more, and nobody should wait for it.
    this.#answer();
    const resumed = new Promise<void>((resolve) => {
      if (this.#paused && this.#child.connected) this.#waiting.push(resolve);
      else resolve();
    });
    this.#send({ type: 'resume' });
    await resumed;
  }

  cancel(): void {
    this.#cancelled = true;
    this.#send({ type: 'cancel' });
    this.#killAfterStop();
  }

  kill(): void {
    this.#cancelled = true;
    this.#child.kill('SIGKILL');
  }

  /** Waits for the end of the process and of everything it had still to say. */
  async #watch(memoryKills: number | null): Promise<TaskOutcome<K>> {
    const error = await this.#closed();
    clearTimeout(this.#killTimer);
    clearTimeout(this.#silenceTimer);
    this.#answer();
    if (error !== undefined) {
      const hint = 'Close other programs and try again; processes or memory may have run out.';
      throw failure('engine_crashed', `The engine could not be started (${error.message}).`, hint);
    }
    if (this.#outcome instanceof WorkbenchError) throw this.#outcome;
    if (this.#outcome !== undefined) return this.#outcome;
    if (this.#cancelled) return { status: 'cancelled', checkpoint: null };
    const now = countMemoryKills();
    const death = {
      code: this.#child.exitCode,
      signal: this.#child.signalCode,
      lastWords: this.#lastWords.lines,
      memoryKills: now === null || memoryKills === null ? null : now > memoryKills,
    };
    const problem = explainDeath(death);
    this.#handlers.log?.('engine', 'ERROR', problem.message, this.#lastWords.lines.join('\n'));
    throw problem;
  }

  /** Resolves when the process has ended and its last message and line were read, or with why it never started. */
  async #closed(): Promise<Error | undefined> {
    return new Promise((resolve) => {
      let open = 2;
      const closed = () => {
        if (--open === 0) resolve(undefined);
      };
      this.#child.once('close', closed).once('disconnect', closed);
      this.#child.on('error', (error) => {
        if (this.#child.pid === undefined) resolve(error);
      });
    });
  }

  #receive(message: EngineMessage): void {
    this.#setResponding(true);
    this.#silenceTimer.refresh();
    switch (message.type) {
      case 'heartbeat':
        break;
      case 'log':
        this.#handlers.log?.(message.component, message.level, message.message, message.stack);
        break;
      case 'progress':
        this.#handlers.progress?.(message.progress);
        break;
      case 'paused':
      case 'resumed':
        this.#paused = message.type === 'paused';
        this.#handlers[message.type]?.();
        this.#answer();
        break;
      case 'cancelled':
        this.#end({ status: 'cancelled', checkpoint: message.checkpoint });
        break;
      case 'failed':
        this.#end(new WorkbenchError(message.problem));
        break;
      case 'done':
        // The engine answers a task of kind K with a result of kind K; the channel cannot say so in types.
        this.#end({ status: 'completed', result: message.result as TaskResults[K] });
        break;
    }
  }

  #end(outcome: TaskOutcome<K> | WorkbenchError): void {
    this.#outcome = outcome;
    this.#killAfterStop();
  }

  #answer(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #send(message: HostMessage): void {
    if (!this.#child.connected) return;
    // A channel that breaks while sending belongs to a process that is ending, which is reported as that.
    this.#child.send(message, () => undefined);
  }

  #killAfterStop(): void {
    this.#killTimer ??= setTimeout(() => this.#child.kill('SIGKILL'), stopMs);
  }

  #setResponding(responding: boolean): void {
    if (this.#responding === responding) return;
    this.#responding = responding;
    this.#handlers.responding?.(responding);
  }

  #lowerPriority(): void {
    try {
      if (this.#child.pid !== undefined) setPriority(this.#child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // Not allowed here, or the process is gone already: it runs at normal priority.
    }
  }
}
