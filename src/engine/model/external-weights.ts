import { randomBytes } from 'node:crypto';
import {
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unreadable, type Graph } from './graph.js';
import { encodeModel, type ModelProto } from './onnx.js';

const external = 1;

/** Files, relative to the model's folder, that hold weights of a model. */
export function weightFiles(model: ModelProto): string[] {
  const files = (model.graph?.initializer ?? [])
    .filter((tensor) => tensor.dataLocation === external)
    .map((tensor) => (tensor.externalData ?? []).find(({ key }) => key === 'location')?.value ?? '');
  return [...new Set(files)];
}

/** A graph on disk where ONNX Runtime accepts its external weights: in the same folder, and no symbolic links. */
export interface StagedModel {
  file: string;
  /** Removes what was written. On Windows a file in use stays: call it again when the session is gone. */
  remove: () => void;
}

function staged(file: string, folder: string | null): StagedModel {
  const remove = () => {
    try {
      rmSync(folder ?? file, { recursive: true, force: true });
    } catch (error) {
      if (process.platform !== 'win32') throw error;
    }
  };
  return { file, remove };
}

/** Puts one weight file where it is wanted: as a hard link, which costs nothing, else as a copy. */
function place(from: string, to: string): void {
  mkdirSync(path.dirname(to), { recursive: true });
  const real = realpathSync(from);
  try {
    linkSync(real, to);
  } catch {
    copyFileSync(real, to, constants.COPYFILE_FICLONE);
  }
}

/**
 * Writes a cut or spliced graph beside its weights; where that is impossible (a read-only folder, or weights that are symbolic
 * links, as in Hugging Face's cache) into a temporary folder with hard links to the weights.
 * @throws WorkbenchError `model_unreadable` where a weight file is missing or lies outside the model's folder.
 */
export function stageModel(graph: Graph, model: ModelProto): StagedModel {
  const files = weightFiles(model);
  let linked = false;
  for (const file of files) {
    const status = lstatSync(path.join(graph.folder, file), { throwIfNoEntry: false });
    const outside = path.isAbsolute(file) || path.normalize(file).split(path.sep)[0] === '..';
    if (file === '' || outside) throw unreadable(graph.path, `keeps weights outside its folder (${file})`);
    if (!status)
      throw unreadable(graph.path, `needs the weights in ${file}, which are not there`, 'Download that file, too.');
    linked ||= status.isSymbolicLink();
  }
  const bytes = encodeModel(model);
  if (!linked) {
    const beside = path.join(graph.folder, `.iw-${process.pid}-${randomBytes(4).toString('hex')}.onnx`);
    try {
      writeFileSync(beside, bytes, { flag: 'wx' });
      return staged(beside, null);
    } catch {
      rmSync(beside, { force: true });
    }
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'iw-model-'));
  for (const file of files) place(path.join(graph.folder, file), path.join(folder, file));
  const file = path.join(folder, 'model.onnx');
  writeFileSync(file, bytes);
  return staged(file, folder);
}
