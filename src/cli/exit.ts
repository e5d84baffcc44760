/** What the process ends with. 130 is what shells give for an end by Ctrl-C. */
export const exitCodes = { done: 0, failed: 1, input: 2, interrupted: 130 } as const;
