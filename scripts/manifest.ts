// npm run manifest: writes what package.json says of commands and settings from the tables in src, and their texts to
// package.nls.json. A test compares the two.
import { toJsonSchema } from '@valibot/to-json-schema';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  commandCategory,
  commandId,
  commands,
  type Command,
  type CommandName,
} from '../src/extension/command-table.js';
import { settings, settingsSection, type SettingName } from '../src/shared/settings.js';

const root = path.join(__dirname, '..');
export const manifestPath = path.join(root, 'package.json');
export const textsPath = path.join(root, 'package.nls.json');

export interface Manifest {
  contributes: { commands: unknown; configuration: unknown };
}

const commandNames = Object.keys(commands) as CommandName[];
const settingNames = Object.keys(settings) as SettingName[];

function commandEntries() {
  return commandNames.map((name) => {
    const { enablement, icon }: Command = commands[name];
    return {
      command: commandId(name),
      title: `%command.${name}%`,
      category: commandCategory,
      ...(icon === undefined ? {} : { icon: `$(${icon})` }),
      ...(enablement === undefined ? {} : { enablement }),
    };
  });
}

/** What VS Code does not look at in the schema of a setting. */
const unwanted = ['$schema', 'required'];

function configuration() {
  const properties = settingNames.map((name, order) => {
    const { schema, default: value, scope } = settings[name];
    const type = Object.fromEntries(Object.entries(toJsonSchema(schema)).filter(([key]) => !unwanted.includes(key)));
    const text = { default: value, scope, order, markdownDescription: `%setting.${name}%` };
    return [`${settingsSection}.${name}`, { ...type, ...text }] as const;
  });
  return { title: commandCategory, properties: Object.fromEntries(properties) };
}

/** The names of settings that a workspace which is not trusted may not set. */
function restricted() {
  return settingNames
    .filter((name) => 'restricted' in settings[name] && settings[name].restricted)
    .map((name) => `${settingsSection}.${name}`);
}

/** The manifest with its generated parts made anew. */
export function withTables<M extends Manifest & { capabilities: { untrustedWorkspaces: object } }>(manifest: M): M {
  const { capabilities, contributes } = manifest;
  const untrustedWorkspaces = { ...capabilities.untrustedWorkspaces, restrictedConfigurations: restricted() };
  return {
    ...manifest,
    capabilities: { ...capabilities, untrustedWorkspaces },
    contributes: { ...contributes, commands: commandEntries(), configuration: configuration() },
  };
}

/** The texts of commands and settings, over those written by hand. */
export function withTexts(texts: Record<string, string>): Record<string, string> {
  const own = Object.entries(texts).filter(([key]) => !/^(command|setting)\./.test(key));
  const titles = commandNames.map((name) => [`command.${name}`, commands[name].title] as const);
  const descriptions = settingNames.map((name) => [`setting.${name}`, settings[name].description] as const);
  return Object.fromEntries([...own, ...titles, ...descriptions]);
}

const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown;
export const readManifest = () => readJson(manifestPath) as Parameters<typeof withTables>[0];
export const readTexts = () => readJson(textsPath) as Record<string, string>;

if (require.main === module) {
  const write = (file: string, value: unknown) => {
    writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
  };
  write(manifestPath, withTables(readManifest()));
  write(textsPath, withTexts(readTexts()));
}
