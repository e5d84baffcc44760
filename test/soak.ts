/** How often a check repeats: a few times in `npm test`, many in `npm run soak`. */
export function repeats(few: number, many: number): number {
  return process.env.IW_SOAK === '1' ? many : few;
}
