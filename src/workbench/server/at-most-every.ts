/** The function, called no more often than that; calls between are left out. */
export function atMostEvery<T extends unknown[]>(ms: number, call: (...values: T) => void): (...values: T) => void {
  let last = -Infinity;
  return (...values) => {
    const now = performance.now();
    if (now - last < ms) return;
    last = now;
    call(...values);
  };
}
