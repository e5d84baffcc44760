import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as rest } from 'node:timers/promises';
import type { Command, ContestantTask, Ended, Evaluated, Ready, Stepped } from './protocol.js';

/** A program that trains, and how it is called in tables. */
export interface Program {
  name: string;
  command: string;
  args: readonly string[];
}

/** Milliseconds in which the threads of the one before fall asleep. */
const betweenSteps = 50;
const keptLines = 20;

/** Ours and the libraries', of which `python` has all. SAELens twice: it is not said which of its two ways is faster here. */
export function programs(python: string): Program[] {
  const script = (name: string) => path.join(__dirname, name);
  return [
    { name: 'workbench', command: process.execPath, args: ['--import', 'tsx', script('ours.ts')] },
    { name: 'SAELens', command: python, args: [script('run_saelens.py')] },
    { name: 'SAELens, sparse', command: python, args: [script('run_saelens.py'), '--sparse'] },
    { name: 'dictionary_learning', command: python, args: [script('run_dictionary_learning.py')] },
    { name: 'sparsify', command: python, args: [script('run_sparsify.py')] },
  ];
}

/** A running program that takes a step when it is told to, and sleeps otherwise. */
export class Contestant {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string, undefined>;
  /** The last lines of what it has to say besides the answers. */
  readonly #said: string[] = [];
  #about: Ready | undefined;

  private constructor({ name, command, args }: Program) {
    this.name = name;
    const quiet = { WANDB_MODE: 'disabled', HF_HUB_OFFLINE: '1', ORT_DISABLE_TELEMETRY: '1' };
    const env = { ...process.env, ...quiet, PYTHONDONTWRITEBYTECODE: '1' };
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#said.push(line);
      if (this.#said.length > keptLines) this.#said.shift();
    });
    // a program that has ended is noticed by the answer that does not come
    child.on('error', (error) => this.#said.push(error.message));
    child.stdin.on('error', () => undefined);
  }

  /** Starts a program; resolves when it is ready for its first step. */
  static async start(program: Program, task: ContestantTask): Promise<Contestant> {
    const contestant = new Contestant(program);
    contestant.#about = await contestant.#ask<Ready>(JSON.stringify(task));
    return contestant;
  }

  get about(): Ready {
    return this.#about!;
  }

  /** One training step on the next batch; milliseconds. */
  async step(): Promise<number> {
    const { ms } = await this.#command<Stepped>('step');
    return ms;
  }

  /** The same when another program has just computed: after a pause, and a step that is not counted. */
  async stepInTurn(): Promise<number> {
    await rest(betweenSteps);
    await this.step();
    return this.step();
  }

  evaluate(): Promise<Evaluated> {
    return this.#command<Evaluated>('evaluate');
  }

  /** Resolves when the program has ended. */
  async end(): Promise<Ended> {
    const gone = new Promise((resolve) => this.#child.once('close', resolve));
    const answer = await this.#command<Ended>('end');
    await gone;
    return answer;
  }

  /** Ends the program at once, in whatever state it is. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #command<Answer>(command: Command): Promise<Answer> {
    return this.#ask<Answer>(command);
  }

  async #ask<Answer>(line: string): Promise<Answer> {
    this.#child.stdin!.write(`${line}\n`);
    const next = await this.#answers.next();
    if (next.done) throw new Error(`${this.name} ended without an answer:\n${this.#said.join('\n')}`);
    return JSON.parse(next.value) as Answer;
  }
}
