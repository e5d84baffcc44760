import { existsSync, readdirSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { resolveBundled } from '../../run/bundled.js';
import { inputError } from '../../shared/errors.js';

/** Where the parts of a model lie; absolute paths, null where a part is missing. */
export interface ModelFiles {
  /** The name of the model's folder. */
  name: string;
  folder: string;
  onnx: string;
  tokenizerJson: string | null;
  tokenizerConfig: string | null;
  config: string | null;
}

const exportHint = 'Export it with "optimum-cli export onnx --model NAME FOLDER", or use bundled:demo-gpt2.';

function stat(file: string): Stats | undefined {
  return statSync(file, { throwIfNoEntry: false });
}

/**
 * Finds a model's files. `reference` is a folder that holds `onnx/model.onnx`, `model.onnx` or a single other .onnx file, an
 * .onnx file itself (its tokenizer beside it or one folder up), or `bundled:NAME`.
 * @throws WorkbenchError `model_not_found`
 */
export function locateModel(reference: string): ModelFiles {
  const target = path.resolve(resolveBundled(reference));
  const found = stat(target);
  if (!found) throw inputError('model_not_found', `There is no model at ${target}.`, exportHint, 'model');
  const onnx = found.isDirectory() ? onnxInside(target) : target;
  const beside = path.dirname(onnx);
  const folder = found.isDirectory() || path.basename(beside) !== 'onnx' ? beside : path.dirname(beside);
  const home = found.isDirectory() ? target : folder;
  const part = (name: string) =>
    [home, beside].map((place) => path.join(place, name)).find((file) => existsSync(file)) ?? null;
  return {
    name: path.basename(home),
    folder: home,
    onnx,
    tokenizerJson: part('tokenizer.json'),
    tokenizerConfig: part('tokenizer_config.json'),
    config: part('config.json'),
  };
}

function onnxInside(folder: string): string {
  const preferred = ['onnx/model.onnx', 'model.onnx', 'onnx/decoder_model.onnx', 'decoder_model.onnx'];
  const known = preferred.map((name) => path.join(folder, name)).find((file) => stat(file)?.isFile());
  if (known !== undefined) return known;
  const others = [folder, path.join(folder, 'onnx')]
    .filter((place) => stat(place)?.isDirectory())
    .flatMap((place) => readdirSync(place).map((name) => path.join(place, name)))
    .filter((file) => file.endsWith('.onnx'));
  if (others.length === 1) return others[0]!;
  if (others.length === 0) {
    throw inputError('model_not_found', `There is no .onnx file in ${folder}.`, exportHint, 'model');
  }
  const names = others.map((file) => path.relative(folder, file)).sort();
  const sentence = `${folder} has several .onnx files: ${names.join(', ')}.`;
  throw inputError('model_not_found', sentence, 'Name one of them.', 'model');
}
