/** Too narrow for lines that anybody would read. */
const leastWidth = 30;

/** Text as lines of at most `width` columns, broken at spaces; one line where that leaves no room. A longer word stands alone. */
export function wrap(text: string, width: number): string[] {
  if (width < leastWidth) return [text];
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
