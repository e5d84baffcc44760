import * as vscode from 'vscode';
import * as v from 'valibot';
import { settings, settingsSection, type SettingName, type SettingValue } from '../shared/settings.js';

/** A setting's value where `scope` (a file or folder) is; its default where what is set cannot be used. */
export function readSetting<N extends SettingName>(name: N, scope?: vscode.Uri): SettingValue<N> {
  const value = vscode.workspace.getConfiguration(settingsSection, scope).get<unknown>(name);
  const parsed = v.safeParse(settings[name].schema, value);
  return parsed.success ? parsed.output : settings[name].default;
}

/** Whether one of the settings may have changed. */
export function affects(event: vscode.ConfigurationChangeEvent, ...names: SettingName[]): boolean {
  return names.some((name) => event.affectsConfiguration(`${settingsSection}.${name}`));
}

/** Calls the listener when the setting may have changed. */
export function onSettingChange(name: SettingName, listener: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (affects(event, name)) listener();
  });
}
