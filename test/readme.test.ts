import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { commands } from '../src/extension/command-table.js';
import { configKeys, describe } from '../src/shared/config.js';
import { settings } from '../src/shared/settings.js';

const root = path.join(__dirname, '..');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8').replace(/ +\|/g, ' |');

test('the README explains every key of a configuration in the words of its schema', () => {
  for (const key of configKeys) {
    assert.ok(
      readme.includes(`| \`${key}\` | ${describe(key)} |`),
      `the README's table of keys lacks or misstates ${key}`,
    );
  }
});

test('the README explains every setting and names every command', () => {
  for (const [name, { default: value, description }] of Object.entries(settings)) {
    const row = `| \`${name}\` | \`${JSON.stringify(value)}\` | ${description} |`;
    assert.ok(readme.includes(row), `the README's table of settings lacks or misstates ${name}`);
  }
  for (const { title } of Object.values(commands)) {
    assert.ok(readme.includes(`| ${title} |`), `the README's table of commands lacks ${title}`);
  }
});

test('the README gives a reason for every package', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const named = name.startsWith('@types/') ? '@types/*' : name.replace('@tensorflow/tfjs-backend', '-backend');
    assert.ok(readme.includes(`\`${named}\``), `the README's table of packages lacks ${name}`);
  }
});

test('the lock file records no address of a registry', () => {
  assert.doesNotMatch(readFileSync(path.join(root, 'package-lock.json'), 'utf8'), /"resolved"/);
});
