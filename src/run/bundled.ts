import { readFileSync } from 'node:fs';
import path from 'node:path';
import { nearest } from '../shared/config.js';
import { inputError } from '../shared/errors.js';

const prefix = 'bundled:';

/** What ships with the package, under names that survive an update (an extension's install path does not). */
const shipped: Record<string, string> = {
  'demo-gpt2': 'examples/demo-gpt2',
  sample: 'examples/sample.jsonl',
};

let root: string | undefined;

function isOurs(folder: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { name?: unknown };
    return manifest.name === 'interpretability-workbench';
  } catch {
    return false;
  }
}

/** The folder of this package: programs run from dist/, tests from src/. */
export function packageRoot(): string {
  if (root !== undefined) return root;
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    if (isOurs(folder)) return (root = folder);
    if (folder === path.dirname(folder))
      throw new Error(`No package.json of interpretability-workbench above ${__dirname}`);
  }
}

/**
 * The absolute path of what `bundled:NAME` stands for; any other string unchanged.
 * @throws WorkbenchError `model_not_found` for a name that does not ship.
 */
export function resolveBundled(reference: string): string {
  if (!reference.startsWith(prefix)) return reference;
  const name = reference.slice(prefix.length);
  const relative = Object.hasOwn(shipped, name) ? shipped[name] : undefined;
  if (relative === undefined) {
    const names = nearest(name, Object.keys(shipped)).map((known) => prefix + known);
    throw inputError(
      'model_not_found',
      `Nothing called ${reference} ships with the workbench.`,
      `There is ${names.join(' and ')}.`,
    );
  }
  return path.join(packageRoot(), relative);
}
