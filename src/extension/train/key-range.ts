/**
 * Where a key of the outermost object stands in a JSON text, quotes included: offsets of its first character and after its
 * last; undefined if it is not there. The text may be broken elsewhere.
 */
export function keyRange(text: string, key: string): { start: number; end: number } | undefined {
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]]/g;
  let depth = 0;
  for (const { 0: token, index: start } of text.matchAll(tokens)) {
    const end = start + token.length;
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && isString(token, key) && /^\s*:/.test(text.slice(end))) return { start, end };
  }
  return undefined;
}

function isString(token: string, value: string): boolean {
  try {
    return JSON.parse(token) === value;
  } catch {
    return false;
  }
}
