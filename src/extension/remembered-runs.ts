import type * as vscode from 'vscode';

const key = 'runsAtWork';

/** The ids of the runs being trained in this window, kept where they outlive it. */
export class RememberedRuns {
  readonly #memory: vscode.Memento;

  constructor(memory: vscode.Memento) {
    this.#memory = memory;
  }

  list(): readonly string[] {
    return this.#memory.get<string[]>(key, []);
  }

  async remember(id: string): Promise<void> {
    await this.#memory.update(key, [...this.#without(id), id]);
  }

  async forget(id: string): Promise<void> {
    await this.#memory.update(key, this.#without(id));
  }

  #without(id: string): string[] {
    return this.list().filter((each) => each !== id);
  }
}
