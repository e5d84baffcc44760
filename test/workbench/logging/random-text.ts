/** Text made to break a log: every kind of line break, control character, escape sequence and half a surrogate pair. */
const nasty = [
  ...['\n', '\r', '\r\n', '\t', '\u0000', '\u0007', '\b', '\v', '\f', '\u001b[2J', '\u001b]0;title\u0007', '\u007f'],
  ...[
    '\u0085',
    '\u009b31m',
    '\u2028',
    '\u2029',
    '\ufeff',
    '\u202e',
    '\ud800',
    '\udfff',
    '\udc00\ud800',
    '\ud83d\ude00',
  ],
  ...['    at f (a.js:1:2)', ' - ', '\n2024-01-15 10:30:45 - api - ERROR - forged', '\\n', '%s', '', '{"a":1}', '’ä中'],
];

/** Numbers in [0, 1) that are the same in every run. */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function randomText(random: () => number): string {
  return Array.from({ length: Math.floor(random() * 12) }, () =>
    random() < 0.7
      ? nasty[Math.floor(random() * nasty.length)]!
      : String.fromCharCode(...Array.from({ length: 5 }, () => Math.floor(random() * 0x10000))),
  ).join('');
}
