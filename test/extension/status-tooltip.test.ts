import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusTooltip, tooltipCommands } from '../../src/extension/status-tooltip.js';
import { runState } from './run.js';
import { translate } from './translate.js';

const commandsIn = (text: string) => [...text.matchAll(/\(command:([\w.]+)/g)].map(([, name]) => name!);

test('a run that trains has a row with its numbers, pause and cancel', () => {
  const text = statusTooltip([runState('training')], undefined, translate);
  assert.equal(text.split('\n')[1], '| --- | --- | ---: | ---: | ---: | ---: | --- |');
  const row = text.split('\n')[2]!;
  const cells = row.split(' | ').map((cell) => cell.replaceAll('&nbsp;', ' ').trim());
  assert.deepEqual(cells.slice(0, 6), ['| demo', 'in progress 42.0 %', '12.34', '31.9', '0.907', '3:20']);
  assert.deepEqual(commandsIn(row), [
    'interpretabilityWorkbench.pauseTraining',
    'interpretabilityWorkbench.cancelTraining',
  ]);
  assert.ok(row.includes(`?${encodeURIComponent('["a"]')})`), 'the links name the run');
});

test('every link runs a command that the tooltip may run', () => {
  const runs = [runState('training'), runState('paused', { id: 'b' })];
  const links = commandsIn(statusTooltip(runs, runState('failed', { id: 'c' }), translate, 'http://127.0.0.1:8000'));
  assert.equal(links.length, 9);
  for (const link of links) assert.ok(tooltipCommands.includes(link), link);
});

test('a name is text, whatever it looks like', () => {
  const name = '[x](command:evil) | <b> $(alert) `y`';
  const text = statusTooltip([runState('training', { name })], undefined, translate);
  assert.ok(!commandsIn(text).includes('evil'));
  assert.equal(text.split('\n')[2]!.split(' | ').length, 7, 'it does not break the table');
  assert.doesNotMatch(text, /<b>|\$\(alert\)/);
});

test('an id cannot end its link', () => {
  const text = statusTooltip([runState('training', { id: 'a) [x](command:evil' })], undefined, translate);
  assert.ok(!commandsIn(text).includes('evil'));
});

test('when nothing trains it says so', () => {
  assert.match(statusTooltip([runState('completed')], undefined, translate), /^Nothing is being trained\. Runs: 1\n/);
});

test('the address of the local API is there while it runs, with what copies it', () => {
  const [before, now] = [undefined, 'http://127.0.0.1:8000'].map((api) => statusTooltip([], undefined, translate, api));
  assert.doesNotMatch(before!, /API/);
  assert.ok(now!.includes('API at `http://127.0.0.1:8000`'));
  assert.ok(commandsIn(now!).includes('interpretabilityWorkbench.copyApiAddress'));
});

test('of very many runs the first ones are shown and the others counted', () => {
  const runs = Array.from({ length: 25 }, (_, i) => runState('queued', { id: String(i) }));
  const lines = statusTooltip(runs, undefined, translate).split('\n');
  assert.equal(lines.filter((line) => line.startsWith('| demo')).length, 10);
  assert.ok(lines.includes('and 15 more'));
});
