/** Questions asked one after the other, each of which can be gone back to. Knows nothing of how they are asked. */

/** What a person did at a step: answered it, went back, went to another step to change it, or left. */
export type Move<A> = { to: 'next'; answers: A } | { to: 'back' } | { to: 'step'; name: string } | { to: 'end' };

/** Which one of how many steps it is, from 1. */
export interface Place {
  step: number;
  of: number;
}

export interface Step<A> {
  name: string;
  /** Whether the answers so far leave this question open at all. */
  applies: (answers: A) => boolean;
  /** Whether the answers hold what this step asks; after a change, such steps are passed over. */
  answered: (answers: A) => boolean;
  ask: (answers: A, place: Place) => Promise<Move<A>>;
}

/** Asks until a step ends it. The last step is never passed over, and never asked before those it follows are answered. */
export async function runSteps<A>(steps: readonly Step<A>[], start: A): Promise<void> {
  let answers = start;
  let index = 0;
  /** A step was changed from a later one, so only what that left open is asked again. */
  let changing = false;
  for (;;) {
    const asked = steps.filter((step) => step.applies(answers));
    const step = asked[index]!;
    const move = await step.ask(answers, { step: index + 1, of: asked.length });
    if (move.to === 'end') return;
    if (move.to === 'back') {
      index = Math.max(0, index - 1);
      changing = false;
    } else if (move.to === 'step') {
      index = asked.findIndex(({ name }) => name === move.name);
      changing = true;
    } else {
      answers = move.answers;
      const now = steps.filter((each) => each.applies(answers));
      index = now.indexOf(step) + 1;
      while (changing && index < now.length - 1 && now[index]!.answered(answers)) index++;
      if (index === now.length - 1) changing = false;
    }
  }
}
