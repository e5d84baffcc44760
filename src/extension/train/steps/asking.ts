import type { Workbench } from '../../workbench-host.js';
import { change, type Answers } from '../answers.js';
import type { Move } from '../multi-step.js';
import type { Reply } from '../step-ui.js';

/** What every step is asked with. */
export interface Asking {
  workbench: Workbench;
  /** The answers of the last training, as far as they are still possible: what Enter takes. */
  last: Answers;
}

/** The move of a person who answered. */
export function next(answers: Answers, changes: Answers): Move<Answers> {
  return { to: 'next', answers: change(answers, changes) };
}

/**
 * Asks with a list until what was chosen leads on. `follow` says where a choice leads; undefined leads back to the list, from
 * a question of its own that the person took back.
 */
export async function choose<T>(
  list: () => Promise<Reply<T>>,
  follow: (choice: T) => Promise<Move<Answers> | undefined> | Move<Answers>,
): Promise<Move<Answers>> {
  for (;;) {
    const reply = await list();
    if (reply.type === 'back') return { to: 'back' };
    if (reply.type === 'cancel') return { to: 'end' };
    const move = await follow(reply.value);
    if (move) return move;
  }
}

/** Where the reply to a question about a choice leads. */
export function answered<T>(
  reply: Reply<T>,
  answers: Answers,
  changes: (value: T) => Answers,
): Move<Answers> | undefined {
  if (reply.type === 'back') return undefined;
  if (reply.type === 'cancel') return { to: 'end' };
  return next(answers, changes(reply.value));
}
