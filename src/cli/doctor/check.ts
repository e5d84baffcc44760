import { failure, toProblem } from '../../shared/errors.js';

/** What a check found where nothing is wrong: in a few words, or as something worth knowing. */
export type Finding = string | { note: string };

/** One thing that is tried on this machine. It fails by throwing. */
export interface Check<Place> {
  name: string;
  /** Checks without whose success this one cannot be tried. */
  needs?: readonly string[];
  /** Seconds after which it has failed; 10 if not given. */
  within?: number;
  /** The signal is given once nobody waits for the result any more. */
  run: (place: Place, signal: AbortSignal) => Finding | Promise<Finding>;
}

export interface Result {
  name: string;
  status: 'ok' | 'note' | 'failed';
  /** What was found, or what is wrong. */
  message: string;
  /** What to do about it; empty where there is nothing to do. */
  hint: string;
  ms: number;
}

/** Runs the checks one after the other, until the signal is given. */
export async function* runChecks<Place>(
  checks: readonly Check<Place>[],
  place: Place,
  signal: AbortSignal,
): AsyncGenerator<Result> {
  const without = new Set<string>();
  for (const check of checks) {
    const { name, needs = [] } = check;
    const missing = needs.find((each) => without.has(each));
    const started = performance.now();
    const outcome = missing === undefined ? await attempt(check, place, signal) : untried(missing);
    if (signal.aborted) return;
    if (outcome.status === 'failed' || missing !== undefined) without.add(name);
    yield { name, ...outcome, ms: Math.round(performance.now() - started) };
  }
}

type Outcome = Omit<Result, 'name' | 'ms'>;

const untried = (missing: string): Outcome => ({
  status: 'note',
  message: `not tried: it needs “${missing}”`,
  hint: '',
});

async function attempt<Place>({ run, within = 10 }: Check<Place>, place: Place, signal: AbortSignal): Promise<Outcome> {
  let listen: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const over = new AbortController();
  const cut = new Promise<never>((_, reject) => {
    listen = () => {
      reject(failure('internal', 'The check was stopped.', ''));
    };
    if (signal.aborted) listen();
    signal.addEventListener('abort', listen);
    timer = setTimeout(() => {
      reject(failure('internal', `Nothing came of it within ${within} s.`, 'Close what keeps this machine busy.'));
    }, within * 1000);
  });
  try {
    const found = await Promise.race([run(place, over.signal), cut]);
    return typeof found === 'string'
      ? { status: 'ok', message: found, hint: '' }
      : { status: 'note', message: found.note, hint: '' };
  } catch (error) {
    const { message, hint } = toProblem(error);
    return { status: 'failed', message, hint };
  } finally {
    over.abort();
    clearTimeout(timer);
    signal.removeEventListener('abort', listen);
  }
}

/** @throws WorkbenchError with the sentence and the hint unless something holds. */
export function expect(holds: boolean, sentence: string, hint = reportIt): asserts holds {
  if (!holds) throw failure('internal', sentence, hint);
}

/** The hint where nothing on the machine is to blame. */
export const reportIt = 'This is a fault of the workbench: please report it with this output.';
