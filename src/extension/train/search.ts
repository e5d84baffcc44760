import * as vscode from 'vscode';
import { readSetting } from '../settings.js';
import { baseOf, modelsOf, type FoundFile, type FoundModel } from './found-files.js';

/** Searches of the workspace: bounded, and not among what others installed or runs wrote. */

const mostModels = 200;
const mostRecordings = 100;
const mostTexts = 5000;
/** Files looked at together for their size. */
const together = 64;

export async function findModels(signal: AbortSignal): Promise<FoundModel[]> {
  return modelsOf(await find('**/*.onnx*', mostModels, signal));
}

/** Recorded activations: `.parquet` files. */
export function findRecordings(signal: AbortSignal): Promise<FoundFile[]> {
  return find('**/*.parquet', mostRecordings, signal);
}

/** The files that a pattern stands for, by path; `more` if there are more of them than can be named one by one. */
export async function findTexts(glob: string, signal: AbortSignal): Promise<{ files: FoundFile[]; more: boolean }> {
  const files = await find(glob, mostTexts + 1, signal);
  return { files: files.slice(0, mostTexts), more: files.length > mostTexts };
}

async function find(glob: string, most: number, signal: AbortSignal): Promise<FoundFile[]> {
  const cancel = new vscode.CancellationTokenSource();
  const abort = () => {
    cancel.cancel();
  };
  signal.addEventListener('abort', abort);
  try {
    const uris = await vscode.workspace.findFiles(glob, excluded(), most, cancel.token);
    // The engine opens files by their path on this machine.
    const local = uris.filter(({ scheme }) => scheme === 'file').sort((a, b) => a.path.localeCompare(b.path));
    return await sized(local, signal);
  } finally {
    signal.removeEventListener('abort', abort);
    cancel.dispose();
  }
}

function excluded(): string {
  const runs = readSetting('runsFolder')
    .replaceAll('\\', '/')
    .replace(/^\.?\/|\/$/g, '');
  return `{**/node_modules/**,**/.git/**,**/.venv/**,**/.interpretability/**,**/${runs}/**}`;
}

async function sized(uris: readonly vscode.Uri[], signal: AbortSignal): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  for (let first = 0; first < uris.length && !signal.aborted; first += together) {
    const part = await Promise.all(uris.slice(first, first + together).map(sizeOf));
    files.push(...part.filter((file) => file !== undefined));
  }
  return files;
}

/** Undefined for what has gone since it was found. */
async function sizeOf(uri: vscode.Uri): Promise<FoundFile | undefined> {
  try {
    return { path: uri.path, bytes: (await vscode.workspace.fs.stat(uri)).size };
  } catch {
    return undefined;
  }
}

/** Whether a file or folder is there. */
export async function exists(path: string): Promise<boolean> {
  return (await sizeOf(vscode.Uri.file(path))) !== undefined;
}

/** The path as the engine and the configuration have it. */
export const localPath = ({ path }: { path: string }): string => vscode.Uri.file(path).fsPath;

/** Where it is, as people see it: relative to the workspace folder. */
export const shownPath = (path: string): string =>
  vscode.workspace.asRelativePath(vscode.Uri.file(path)) || baseOf(path);
