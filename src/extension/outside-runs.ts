import { existsSync } from 'node:fs';
import path from 'node:path';
import type * as vscode from 'vscode';

const key = 'runsOutside';

/** The run folders that configurations of this workspace put outside the runs folders (`output_dir`), to be found again. */
export class OutsideRuns {
  readonly #memory: vscode.Memento;

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
  }

  list(): string[] {
    return this.#memory.get<string[]>(key, []);
  }

  /** Remembers a run folder unless it lies in one of the runs folders. Those deleted meanwhile are forgotten. */
  async add(dir: string, runsFolders: readonly string[]): Promise<void> {
    if (runsFolders.includes(path.dirname(dir)) || this.list().includes(dir)) return;
    await this.#memory.update(key, [...this.list().filter((each) => existsSync(each)), dir]);
  }
}
