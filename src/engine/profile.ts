import { activities, type Activity, type Profile } from '../shared/profile.js';

/**
 * Where the time of this process's main thread goes. Code says what it begins to do and what was done before, so that every
 * moment counts once; a change costs a look at the clock.
 */
class Profiler {
  readonly #seconds = Object.fromEntries(activities.map((activity) => [activity, 0])) as Record<Activity, number>;
  #activity: Activity = 'other';
  #since = performance.now();

  /** From now on the time counts for this activity. Returns the one it counted for until now. */
  enter(activity: Activity): Activity {
    const before = this.#activity;
    const now = performance.now();
    this.#seconds[before] += (now - this.#since) / 1000;
    this.#since = now;
    this.#activity = activity;
    return before;
  }

  /** Counts what `work` takes, but for the parts that count for something else. */
  async spend<T>(activity: Activity, work: () => Promise<T>): Promise<T> {
    const before = this.enter(activity);
    try {
      return await work();
    } finally {
      this.enter(before);
    }
  }

  /** The same for work that does not wait. */
  spendSync<T>(activity: Activity, work: () => T): T {
    const before = this.enter(activity);
    try {
      return work();
    } finally {
      this.enter(before);
    }
  }

  /** Seconds of each activity since this process began. */
  get seconds(): Record<Activity, number> {
    this.enter(this.#activity);
    return { ...this.#seconds };
  }
}

export const profiler = new Profiler();

/** Seconds of two attempts together. */
export function addSeconds(a: Profile['seconds'], b: Profile['seconds']): Profile['seconds'] {
  return Object.fromEntries(activities.map((each) => [each, a[each] + b[each]])) as Profile['seconds'];
}
