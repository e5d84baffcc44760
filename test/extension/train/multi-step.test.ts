import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSteps, type Move, type Place, type Step } from '../../../src/extension/train/multi-step.js';

type Answers = Record<string, string>;

/** Steps that answer by a script, and what was asked: `name step/of`. */
async function play(
  names: readonly string[],
  script: readonly ('next' | 'back' | 'end' | `to ${string}`)[],
  applies: (name: string, answers: Answers) => boolean = () => true,
): Promise<{ asked: string[]; answers: Answers }> {
  const asked: string[] = [];
  let last: Answers = {};
  const moves = script.values();
  const ask =
    (name: string) =>
    (answers: Answers, { step, of }: Place) => {
      asked.push(`${name} ${step}/${of}`);
      last = answers;
      const move = moves.next().value;
      assert.ok(move !== undefined, `asked more than the script has: ${asked.join(', ')}`);
      const done: Move<Answers> =
        move === 'next'
          ? { to: 'next', answers: { ...answers, [name]: `${asked.length}` } }
          : move === 'back' || move === 'end'
            ? { to: move }
            : { to: 'step', name: move.slice(3) };
      return Promise.resolve(done);
    };
  const steps = names.map((name, index): Step<Answers> => ({
    name,
    applies: (answers) => applies(name, answers),
    answered: (answers) => index < names.length - 1 && name in answers,
    ask: ask(name),
  }));
  await runSteps(steps, {});
  assert.ok(moves.next().done, 'the script was not played to its end');
  return { asked, answers: last };
}

test('steps are asked in order, with their number and how many there are', async () => {
  const { asked, answers } = await play(['a', 'b', 'c'], ['next', 'next', 'end']);
  assert.deepEqual(asked, ['a 1/3', 'b 2/3', 'c 3/3']);
  assert.deepEqual(answers, { a: '1', b: '2' });
});

test('going back asks again, with what was answered kept, and then every step after it', async () => {
  const { asked, answers } = await play(['a', 'b', 'c'], ['next', 'next', 'back', 'back', 'next', 'next', 'end']);
  assert.deepEqual(asked, ['a 1/3', 'b 2/3', 'c 3/3', 'b 2/3', 'a 1/3', 'b 2/3', 'c 3/3']);
  assert.deepEqual(answers, { a: '5', b: '6' });
});

test('going back from the first step stays there', async () => {
  assert.deepEqual((await play(['a', 'b'], ['back', 'end'])).asked, ['a 1/2', 'a 1/2']);
});

test('a step that the answers make needless is passed over, both ways, and not counted', async () => {
  const applies = (name: string, answers: Answers) => name !== 'b' || !('a' in answers);
  const { asked } = await play(['a', 'b', 'c'], ['next', 'back', 'next', 'end'], applies);
  assert.deepEqual(asked, ['a 1/3', 'c 2/2', 'a 1/2', 'c 2/2']);
});

test('a change from the last step leads straight back to it', async () => {
  const { asked } = await play(['a', 'b', 'c', 'd'], ['next', 'next', 'next', 'to b', 'next', 'end']);
  assert.deepEqual(asked, ['a 1/4', 'b 2/4', 'c 3/4', 'd 4/4', 'b 2/4', 'd 4/4']);
});

test('a change asks again what it left open', async () => {
  const asked: string[] = [];
  let changed = false;
  const step = (name: string, move: (answers: Answers) => Move<Answers>): Step<Answers> => ({
    name,
    applies: () => true,
    answered: (answers) => name in answers,
    ask: (answers) => {
      asked.push(name);
      return Promise.resolve(move(answers));
    },
  });
  await runSteps<Answers>(
    [
      step('model', ({ text }) => {
        const answers: Answers = text === undefined ? { model: 'm' } : { model: 'n', text };
        return { to: 'next', answers };
      }),
      step('hook', (answers) => ({ to: 'next', answers: { ...answers, hook: 'h' } })),
      step('text', (answers) => ({ to: 'next', answers: { ...answers, text: 't' } })),
      step('review', () => {
        if (changed) return { to: 'end' };
        changed = true;
        return { to: 'step', name: 'model' };
      }),
    ],
    {},
  );
  assert.deepEqual(asked, ['model', 'hook', 'text', 'review', 'model', 'hook', 'review']);
});
