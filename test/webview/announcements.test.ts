import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announcement } from '../../src/webview/announcements.js';
import { endedRun, sampleRun } from './sample-run.js';

const at = (progress: number) => sampleRun('a', {}, { progress });

test('a tenth of the way is announced once, updates between are not', () => {
  assert.equal(announcement({ before: at(39.9), now: at(40) }), 'Demo a: 40 %');
  assert.equal(announcement({ before: at(40), now: at(49.9) }), undefined);
});

test('a change of status is announced, with the result or the reason', () => {
  const queued = sampleRun('a', {}, { status: 'queued', progress: 0 });
  assert.equal(announcement({ before: queued, now: at(0) }), 'Demo a: in progress');
  assert.equal(
    announcement({ before: at(99.9), now: endedRun('a', 'completed') }),
    'Demo a: completed, explained variance 0.953',
  );
  const error = { code: 'engine_died', message: 'The engine died.', hint: 'Resume it.' };
  assert.equal(
    announcement({ before: at(50), now: endedRun('a', 'failed', { error }) }),
    'Demo a: failed. The engine died.',
  );
});

test('preparing and training are one status to a listener', () => {
  const preparing = sampleRun('a', {}, { status: 'preparing', phase: 'tokenizing', progress: 0 });
  assert.equal(announcement({ before: preparing, now: at(0.1) }), undefined);
});

test('a new run and a silent one are announced, an old one that appears is not', () => {
  assert.equal(announcement({ before: undefined, now: at(0) }), 'Demo a: in progress');
  assert.equal(announcement({ before: undefined, now: endedRun('a', 'completed') }), undefined);
  assert.equal(announcement({ before: at(40), now: { ...at(40), responding: false } }), 'Demo a: not responding');
});
