/** Numbers as people type them: 4096, 4,096, 4 096, 2^12; undefined for anything else. */
export function wholeNumber(typed: string): number | undefined {
  const text = typed.replace(/[\s,_]/g, '');
  const [, base, exponent] = /^(\d{1,3})\^(\d{1,2})$/.exec(text) ?? [];
  const value = base === undefined ? Number(/^\d+$/.exec(text)?.[0] ?? NaN) : Number(base) ** Number(exponent);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A number not below zero: 2, 0.5, 1e-3; undefined for anything else. */
export function realNumber(typed: string): number | undefined {
  const value = Number(typed.trim() === '' ? NaN : typed);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}
