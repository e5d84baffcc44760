import type { Locator } from 'playwright-core';

/** Steps that the card showed, each with the time of the animation frame after it was put there. Times are in ms since 1970. */
export interface Shown {
  step: number;
  at: number;
}

/** Begins to note the steps that an element shows. */
export async function watchSteps(step: Locator): Promise<() => Promise<Shown[]>> {
  const shown = await step.evaluateHandle((element) => {
    const seen: Shown[] = [];
    new MutationObserver(() => {
      const text = Number(element.textContent.replaceAll(',', ''));
      requestAnimationFrame(() => seen.push({ step: text, at: performance.timeOrigin + performance.now() }));
    }).observe(element, { characterData: true, childList: true, subtree: true });
    return seen;
  });
  return () => shown.jsonValue();
}

/** Begins to note tasks of the panel's own that keep its main thread for more than 50 ms; their lengths in ms. */
export async function watchLongTasks(panel: Locator): Promise<() => Promise<number[]>> {
  const lengths = await panel.evaluateHandle(() => {
    const seen: number[] = [];
    new PerformanceObserver((list) => {
      seen.push(...list.getEntries().flatMap(({ name, duration }) => (name === 'self' ? [duration] : [])));
    }).observe({ type: 'longtask' });
    return seen;
  });
  return () => lengths.jsonValue();
}
