import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  among,
  firstView,
  isExpanded,
  recalled,
  watched,
  withExpanded,
  withSelected,
} from '../../src/webview/view-state.js';
import { endedRun, sampleRun } from './sample-run.js';

test('active runs are open and ended ones closed until a person decides otherwise', () => {
  const active = sampleRun('a');
  const ended = endedRun('b', 'completed');
  assert.equal(isExpanded(firstView, active), true);
  assert.equal(isExpanded(firstView, ended), false);
  const chosen = withExpanded(withExpanded(firstView, 'a', false), 'b', true);
  assert.equal(isExpanded(chosen, active), false);
  assert.equal(isExpanded(chosen, ended), true);
});

test('a run that was seen active stays open when it ends', () => {
  const state = among(firstView, [sampleRun('a')]);
  assert.equal(isExpanded(state, endedRun('a', 'completed')), true);
});

test('a run that was closed while it was active stays closed', () => {
  const state = among(withExpanded(firstView, 'a', false), [sampleRun('a')]);
  assert.equal(isExpanded(state, endedRun('a', 'completed')), false);
});

test('what is gone is forgotten, and a comparison of nothing is left', () => {
  const chosen = withSelected(withSelected(withExpanded(firstView, 'b', true), 'a', true), 'b', true);
  const kept = among({ ...chosen, view: 'compare' }, [endedRun('a', 'completed')]);
  assert.deepEqual(kept, { view: 'compare', expanded: {}, selected: ['a'] });
  assert.equal(among(kept, []).view, 'runs');
});

test('charts are watched of open cards, or of the runs that are compared', () => {
  const runs = [sampleRun('a'), endedRun('b', 'failed'), endedRun('c', 'completed')];
  const state = withSelected(withSelected(firstView, 'c', true), 'b', true);
  assert.deepEqual(watched(state, runs), ['a']);
  assert.deepEqual(watched({ ...state, view: 'compare' }, runs), ['b', 'c']);
});

test('what was remembered comes back, and anything else is the first view', () => {
  const state = withSelected(withExpanded(firstView, 'a', true), 'b', true);
  assert.deepEqual(recalled(JSON.parse(JSON.stringify(state))), state);
  for (const value of [undefined, null, 3, 'x', [], {}]) assert.deepEqual(recalled(value), firstView);
  assert.deepEqual(recalled({ view: 7, expanded: { a: 'yes' }, selected: [1, 'a'] }), {
    ...firstView,
    selected: ['a'],
  });
});
