import * as vscode from 'vscode';
import * as v from 'valibot';
import { answersSchema, pathsOf, type Answers } from './answers.js';
import { exists } from './search.js';

const key = 'trainSae.answers';

/** Keeps the answers of a training for the next one in this workspace. */
export async function remember({ workspaceState }: vscode.ExtensionContext, answers: Answers): Promise<void> {
  await workspaceState.update(key, answers);
}

/** The answers of the last training of this workspace, without those that are not possible any more. */
export async function remembered({ workspaceState }: vscode.ExtensionContext): Promise<Answers> {
  const parsed = v.safeParse(answersSchema, workspaceState.get(key));
  const answers = parsed.success ? parsed.output : {};
  const { model, hook, source, ...sae } = answers;
  if (!vscode.workspace.isTrusted && pathsOf(answers).length > 0) return sae;
  const modelThere = await allExist(pathsOf({ model }));
  const sourceThere = await allExist(pathsOf({ source }));
  return { ...sae, ...(modelThere ? { model, hook } : {}), ...(sourceThere ? { source } : {}) };
}

async function allExist(paths: readonly string[]): Promise<boolean> {
  return (await Promise.all(paths.map(exists))).every(Boolean);
}
