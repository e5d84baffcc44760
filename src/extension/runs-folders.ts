import path from 'node:path';
import * as vscode from 'vscode';
import { readSetting } from './settings.js';

const chosenRoot = 'runsRoot';

/** Where runs go that belong to no workspace folder: an empty window's, and those of a workspace that is not trusted. */
export const storedRuns = (context: vscode.ExtensionContext): string =>
  path.join(context.globalStorageUri.fsPath, 'runs');

/** The folders that runs of this window may go to. */
export function ownRunsFolders(context: vscode.ExtensionContext): string[] {
  const roots = usableRoots();
  return roots.length === 0 ? [storedRuns(context)] : roots.map(runsFolderOf);
}

/** The folders in which this window looks for runs. */
export function watchedRunsFolders(context: vscode.ExtensionContext): string[] {
  const inWorkspace = workspaceRoots().map(runsFolderOf);
  return [...new Set([...inWorkspace, storedRuns(context)])];
}

/**
 * Where a new run goes: to the workspace folder that holds `near`, else to the only one, else to the one the person
 * picks, which is remembered. Undefined if none was picked.
 */
export async function chooseRunsFolder(
  context: vscode.ExtensionContext,
  near?: vscode.Uri,
): Promise<string | undefined> {
  const roots = usableRoots();
  const holder = near && vscode.workspace.getWorkspaceFolder(near);
  const root = roots.find(({ uri }) => uri.toString() === holder?.uri.toString()) ?? roots[0];
  if (root === undefined) return storedRuns(context);
  if (roots.length === 1 || holder !== undefined) return runsFolderOf(root);
  const asked = await askForRoot(context, roots);
  return asked && runsFolderOf(asked);
}

async function askForRoot(
  { workspaceState }: vscode.ExtensionContext,
  roots: readonly vscode.WorkspaceFolder[],
): Promise<vscode.WorkspaceFolder | undefined> {
  const known = roots.find(({ uri }) => uri.toString() === workspaceState.get(chosenRoot));
  if (known !== undefined) return known;
  const items = roots.map((root) => ({ label: root.name, description: runsFolderOf(root), root }));
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Where Should Runs Go?'),
    placeHolder: vscode.l10n.t('The workspace folder that keeps the runs of this workspace'),
  });
  await workspaceState.update(chosenRoot, picked?.root.uri.toString());
  return picked?.root;
}

/** The folders of the workspace that are on this machine. */
export const workspaceRoots = (): vscode.WorkspaceFolder[] =>
  (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');

const usableRoots = () => (vscode.workspace.isTrusted ? workspaceRoots() : []);

const runsFolderOf = ({ uri }: vscode.WorkspaceFolder) => path.resolve(uri.fsPath, readSetting('runsFolder', uri));
