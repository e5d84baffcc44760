/** What a search of the workspace found, put in order. Paths have forward slashes, as those of URIs do. */

export interface FoundFile {
  path: string;
  bytes: number;
}

/** A model that can be named in a configuration. */
export interface FoundModel {
  /** The folder, or the .onnx file where its folder alone would not say which one is meant. */
  path: string;
  name: string;
  /** Size of the graph with weights that lie beside it. */
  bytes: number;
}

/** The file that the engine takes when it is given the folder: see `locateModel`. */
const preferred = ['model.onnx', 'decoder_model.onnx'];

/** The models among the files of a search for `.onnx` files and weights beside them, by name. */
export function modelsOf(files: readonly FoundFile[]): FoundModel[] {
  const graphs = files.filter(({ path }) => path.endsWith('.onnx'));
  const models = graphs.map((graph): FoundModel => {
    const home = homeOf(graph.path);
    const siblings = graphs.filter(({ path }) => homeOf(path) === home).map(({ path }) => baseOf(path));
    const bytes = graph.bytes + weightsOf(graph, files);
    if (baseOf(graph.path) === standardOf(siblings)) return { path: home, name: baseOf(home), bytes };
    return { path: graph.path, name: `${baseOf(home)}/${baseOf(graph.path)}`, bytes };
  });
  return models.sort((a, b) => a.name.localeCompare(b.name));
}

/** The graph that is meant when only its folder is named. */
function standardOf(names: readonly string[]): string | undefined {
  return preferred.find((name) => names.includes(name)) ?? (names.length === 1 ? names[0] : undefined);
}

/** Weights outside the graph: `model.onnx_data`, `model.onnx.data`, or parts of them. */
function weightsOf(graph: FoundFile, files: readonly FoundFile[]): number {
  const beside = files.filter(({ path }) => path !== graph.path && path.startsWith(graph.path));
  return total(beside);
}

/** The folder that stands for a graph: exports put it into a subfolder `onnx`. */
function homeOf(file: string): string {
  const folder = folderOf(file);
  return baseOf(folder) === 'onnx' ? folderOf(folder) : folder;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** The last part of a path. */
export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Bytes of files together. */
export function total(files: readonly FoundFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
