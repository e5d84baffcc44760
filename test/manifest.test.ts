import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readManifest, readTexts, withTables, withTexts } from '../scripts/manifest.js';
import { commandId, commands, type CommandName } from '../src/extension/command-table.js';

const manifest = readManifest();
const known = (Object.keys(commands) as CommandName[]).map(commandId);

test('package.json and package.nls.json are what the tables of commands and settings make them', () => {
  const hint = 'run: npm run manifest';
  assert.deepEqual(manifest, withTables(manifest), hint);
  assert.deepEqual(readTexts(), withTexts(readTexts()), hint);
});

test('menus, the walkthrough and key bindings name only commands there are', () => {
  const { menus = {} } = manifest.contributes as { menus?: Record<string, { command: string }[]> };
  for (const [menu, items] of Object.entries(menus)) {
    for (const { command } of items) assert.ok(known.includes(command), `${menu} names ${command}`);
  }
  const linked = JSON.stringify(manifest).matchAll(/command:(interpretabilityWorkbench\.\w+)/g);
  for (const [, command] of linked) assert.ok(known.includes(command!), `a text links to ${command!}`);
});

test('every %text% of the manifest is there', () => {
  const texts = readTexts();
  for (const [, key] of JSON.stringify(manifest).matchAll(/"%([^%"]+)%"/g))
    assert.ok(texts[key!], `%${key!}% is missing`);
});

test('the VS Code that is asked for is the one whose API is compiled against', () => {
  const { engines, devDependencies } = manifest as unknown as {
    engines: { vscode: string };
    devDependencies: Record<string, string>;
  };
  assert.equal(engines.vscode, `^${devDependencies['@types/vscode']!}`);
});
