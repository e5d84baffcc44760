/** A table as text; its first row is the head. */
export type Rows = readonly (readonly string[])[];

/** Tab-separated, for spreadsheets. */
export function toTsv(rows: Rows): string {
  return rows.map((row) => row.map((cell) => cell.replace(/\s+/g, ' ')).join('\t') + '\n').join('');
}

/** A GitHub-flavoured Markdown table. */
export function toMarkdown([head, ...rows]: Rows): string {
  if (!head) return '';
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const escaped = (row: readonly string[]) => row.map((cell) => cell.replace(/\s+/g, ' ').replace(/[\\|]/g, '\\$&'));
  return (
    line(escaped(head)) + line(head.map((_, i) => (i === 0 ? '---' : '---:'))) + rows.map(escaped).map(line).join('')
  );
}
