import { stat } from 'node:fs/promises';
import path from 'node:path';
import { resolveBundled } from '../../run/bundled.js';
import { jobPath } from '../../run/layout.js';
import type { SaeConfig } from '../../shared/config.js';
import { inputError, toProblem, type ProblemCode, type WorkbenchError } from '../../shared/errors.js';
import { linkOut } from './links-out.js';
import { badSpelling } from './path-spelling.js';
import { fullPath, namesWithin, realPath, type RealPath } from './real-path.js';

/** Where the paths of a request may lead. */
export interface PathRules {
  /** Relative paths count from it, and what is named lies in it. Absolute, like the others. */
  root: string;
  /** More folders that files may be named in. */
  folders: readonly string[];
  /** An `output_dir` lies in it. */
  runsFolder: string;
}

/** The keys that name what is read, and how it is told that it cannot be. */
const missing = {
  model: 'model_not_found',
  text: 'text_unreadable',
  activation_data_path: 'activations_unreadable',
} as const;
type InputKey = keyof typeof missing;

/**
 * The configuration of a request with its paths absolute and free of links, so that nothing that is put in their place later
 * leads elsewhere.
 * @throws WorkbenchError `path_not_allowed`, `model_not_found`, `text_unreadable`, `activations_unreadable`,
 * `output_unusable`, each with its `field`.
 */
export async function allowedPaths(config: SaeConfig, rules: PathRules): Promise<SaeConfig> {
  const folders = await realFolders([rules.root, ...rules.folders]);
  const input = async (name: string, key: InputKey) => inputPath(name, key, rules.root, folders);
  const { model, text, activation_data_path: activations, output_dir: out } = config;
  const texts: string[] = [];
  for (const name of text ?? []) texts.push(await input(name, 'text'));
  return {
    ...config,
    ...(model === undefined ? {} : { model: await input(model, 'model') }),
    ...(text === undefined ? {} : { text: texts }),
    ...(activations === undefined ? {} : { activation_data_path: await input(activations, 'activation_data_path') }),
    ...(out === undefined ? {} : { output_dir: await outputFolder(out, rules) }),
  };
}

async function inputPath(name: string, key: InputKey, root: string, folders: readonly RealPath[]): Promise<string> {
  if (name.startsWith('bundled:') && key !== 'activation_data_path') return shippedName(name, key);
  const real = await follow(name, root, key);
  if (!(await isInside(folders, real))) throw outside(name, key);
  const file = fullPath(real);
  const status = real.missing.length === 0 ? await stat(file) : undefined;
  const folder = status?.isDirectory() ?? false;
  if (status === undefined) throw inputError(missing[key], `There is nothing at ${file}.`, 'Check the path.', key);
  if (!status.isFile() && (!folder || key === 'activation_data_path')) {
    throw inputError(missing[key], `${file} is not a file.`, 'Name a file.', key);
  }
  const searched = key === 'model' ? modelFolder(file, folder) : file;
  if (!folder && key !== 'model') return file;
  if (!(await isInside(folders, { existing: searched, missing: [] }))) throw outside(searched, key);
  const link = await linkOut(searched, (target) => isInside(folders, target));
  if (link !== null) throw notAllowed(`${searched} ${link}`, key, 'Name a folder that holds only what is needed.');
  return file;
}

/** Where the files of a model lie: its tokenizer may be one folder above the graph. */
function modelFolder(file: string, folder: boolean): string {
  const home = folder ? file : path.dirname(file);
  return !folder && path.basename(home) === 'onnx' ? path.dirname(home) : home;
}

function shippedName(name: string, key: InputKey): string {
  try {
    resolveBundled(name);
    return name;
  } catch (error) {
    const { message, hint } = toProblem(error);
    throw inputError(missing[key], message, hint, key);
  }
}

/** An output folder by its name in the runs folder, which itself is called as the person calls it. */
async function outputFolder(name: string, { root, runsFolder }: PathRules): Promise<string> {
  const key = 'output_dir';
  const hint = `Name a new folder in ${runsFolder}, or none.`;
  const names = await namesWithin(await realPath(runsFolder), await follow(name, root, key));
  if (names === null) throw notAllowed(`${name} is not in the runs folder`, key, hint);
  if (names.length === 0) throw notAllowed(`${name} is the runs folder itself`, key, hint);
  for (let i = 1; i < names.length; i++) {
    const above = path.join(runsFolder, ...names.slice(0, i));
    if (await exists(jobPath(above))) throw inputError('output_unusable', `${above} is a run of its own.`, hint, key);
  }
  return path.join(runsFolder, ...names);
}

async function follow(name: string, root: string, key: keyof SaeConfig): Promise<RealPath> {
  const bad = badSpelling(name);
  if (bad !== undefined) throw notAllowed(`The path ${bad}`, key, 'Name a file or folder by its usual path.');
  try {
    return await realPath(path.resolve(root, name));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw notAllowed(`Where ${name} leads cannot be told (${code})`, key, 'Name a file or folder without links.');
  }
}

/** The folders that are there. */
async function realFolders(folders: readonly string[]): Promise<RealPath[]> {
  const found = await Promise.allSettled(folders.map((folder) => realPath(folder)));
  return found.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}

async function isInside(folders: readonly RealPath[], inner: RealPath): Promise<boolean> {
  for (const folder of folders) if ((await namesWithin(folder, inner)) !== null) return true;
  return false;
}

function outside(name: string, key: InputKey): WorkbenchError {
  const hint = 'Name what lies in the root, or add its folder to those that requests may name.';
  return notAllowed(`${name} lies outside the folders that requests may name`, key, hint);
}

function notAllowed(sentence: string, key: keyof SaeConfig, hint: string): WorkbenchError {
  const code: ProblemCode = 'path_not_allowed';
  return inputError(code, `${sentence}.`, hint, key);
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
