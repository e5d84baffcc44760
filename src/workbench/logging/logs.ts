import path from 'node:path';
import { Writable } from 'node:stream';
import winston from 'winston';
import { toProblem } from '../../shared/errors.js';
import {
  isAtLeast,
  logComponents,
  type Log,
  type LogComponent,
  type LogLevel,
  type LogRecord,
} from '../../shared/logs.js';
import { formatRecord } from './format.js';
import { takeLogFolder, type LogFolder } from './log-folder.js';
import { redact as redactSecrets } from './redact.js';
import { RotatingFile, type RotatingFileOptions } from './rotating-file.js';

/** Where records go besides the files: a console, an Output channel. */
export interface LogSink {
  /** The least level wanted; may change at any time. */
  level: LogLevel;
  /** `line`: the record as in the files, with its line break. */
  write: (line: string, record: LogRecord) => void;
}

export interface LogsOptions {
  /** The log folder. If another process writes it, this one writes `2/` (or `3/` …) inside. */
  folder: string;
  sinks?: readonly LogSink[];
  /** Least level per component; DEBUG where not given. */
  levels?: Partial<Record<LogComponent, LogLevel>>;
  /** Takes secrets out of every text before it goes anywhere. */
  redact?: (text: string) => string;
  maxBytes?: number;
}

const severity: Record<LogLevel, number> = { ERROR: 0, WARNING: 1, INFO: 2, DEBUG: 3 };
const retryMs = 5000;

/** Hands winston's records to a function, at once, and survives whatever that does. */
function streamTo(write: (line: string, record: LogRecord) => void): Writable {
  return new Writable({
    objectMode: true,
    write: ({ message, record }: { message: string; record: LogRecord }, _encoding, done) => {
      try {
        write(message, record);
      } catch {
        // A broken console or panel must not disturb training, and the files have the record.
      }
      done();
    },
  });
}

/**
 * The log sinks of this process: `api.log` (every record), `errors.log` (ERROR only) and what is added. Usable at once:
 * what is logged before the folder is taken is written then. Logging never throws and never waits.
 */
export class Logs {
  readonly #options: LogsOptions;
  readonly #logger: winston.Logger;
  readonly #levels: Record<LogComponent, LogLevel>;
  readonly #files: Record<'api.log' | 'errors.log', RotatingFile>;
  readonly #onExit = () => {
    this.#writeLast();
  };
  #opening: Promise<void>;
  #folder: LogFolder | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failed = false;
  #closed = false;

  constructor(options: LogsOptions) {
    this.#options = options;
    const all = Object.fromEntries(logComponents.map((component) => [component, 'DEBUG']));
    this.#levels = { ...(all as Record<LogComponent, LogLevel>), ...options.levels };
    this.#files = { 'api.log': this.#file('api.log'), 'errors.log': this.#file('errors.log') };
    this.#logger = winston.createLogger({
      levels: severity,
      level: 'DEBUG',
      format: winston.format((info) => info)(),
    });
    this.#logger.pipe(
      streamTo((line) => {
        this.#files['api.log'].append(line);
      }),
    );
    this.#logger.pipe(
      streamTo((line, { level }) => {
        if (level === 'ERROR') this.#files['errors.log'].append(line);
      }),
    );
    for (const sink of options.sinks ?? []) this.addSink(sink);
    process.on('exit', this.#onExit);
    this.#opening = this.#open();
  }

  /** Logs a record with the present time. */
  readonly log: Log = (component, level, message, stack) => {
    this.write({ time: Date.now(), component, level, message, ...(stack === undefined ? {} : { stack }) });
  };

  write(record: LogRecord): void {
    if (!isAtLeast(record.level, this.#levels[record.component])) return;
    const redact = this.#options.redact ?? redactSecrets;
    const { message, stack } = record;
    const clean = { ...record, message: redact(message), ...(stack === undefined ? {} : { stack: redact(stack) }) };
    this.#logger.log({ level: clean.level, message: formatRecord(clean), record: clean });
  }

  /** Where the files are; undefined until the folder could be taken. */
  get folder(): string | undefined {
    return this.#folder?.dir;
  }

  /** Resolves when the folder was taken, or could not be for now. */
  async opened(): Promise<void> {
    await this.#opening;
  }

  /** Records of the component below the level are dropped from now on. */
  setLevel(component: LogComponent, level: LogLevel): void {
    this.#levels[component] = level;
  }

  /** Sends records to the sink too. Returns what ends that. */
  addSink(sink: LogSink): () => void {
    const stream = streamTo((line, record) => {
      if (isAtLeast(record.level, sink.level)) sink.write(line, record);
    });
    this.#logger.pipe(stream);
    return () => {
      this.#logger.unpipe(stream);
    };
  }

  /** Writes everything and gives the folder back. */
  async close(): Promise<void> {
    await this.#opening;
    process.off('exit', this.#onExit);
    this.#writeLast();
  }

  async #open(): Promise<void> {
    try {
      const folder = await takeLogFolder(this.#options.folder, () => {
        this.#folder = undefined;
        this.#opening = this.#open();
      });
      this.#folder = folder;
      for (const [name, file] of Object.entries(this.#files)) file.place(path.join(folder.dir, name));
      if (folder.shared) {
        this.log('engine', 'WARNING', `Another process writes ${this.#options.folder}: this one writes ${folder.dir}.`);
      }
    } catch (error) {
      if (!this.#failed) this.#warn(this.#options.folder, error);
      this.#failed = true;
      this.#retry = setTimeout(() => {
        this.#opening = this.#open();
      }, retryMs).unref();
    }
  }

  #file(name: string): RotatingFile {
    const settings: RotatingFileOptions = {
      onFailure: (error) => {
        this.#warn(path.join(this.#folder?.dir ?? this.#options.folder, name), error);
      },
      onRecovery: (lost) => {
        if (lost === 0) return undefined;
        const message = `${lost} log records are missing here: ${name} could not be written for a while.`;
        return formatRecord({ time: Date.now(), component: 'engine', level: 'WARNING', message });
      },
    };
    const { maxBytes } = this.#options;
    return new RotatingFile(maxBytes === undefined ? settings : { ...settings, maxBytes });
  }

  /** Tells the sinks, the files being what does not work; they get the record too, for when they do again. */
  #warn(what: string, error: unknown): void {
    const { message } = toProblem(error);
    this.log(
      'engine',
      'WARNING',
      `${what} cannot be written: ${message} Logging goes on here and is tried again there.`,
    );
  }

  #writeLast(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    for (const [name, file] of Object.entries(this.#files)) {
      // Exit before the folder was taken: adding whole lines at the end of a file disturbs no other writer.
      if (this.#folder === undefined && !this.#failed) file.place(path.join(this.#options.folder, name));
      file.close();
    }
    this.#folder?.lock.release();
  }
}
