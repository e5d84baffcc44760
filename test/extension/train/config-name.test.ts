import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configFileName } from '../../../src/extension/train/config-name.js';

test('whatever was typed, the file is a *.sae.json', () => {
  for (const typed of ['/a/b', '/a/b.json', '/a/b.sae', '/a/b.sae.json', '/a/b.SAE.JSON']) {
    assert.equal(configFileName(typed), '/a/b.sae.json');
  }
  assert.equal(configFileName('/a/b.c'), '/a/b.c.sae.json');
});
