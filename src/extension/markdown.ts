import { printable } from '../shared/format.js';

/** Text of any origin so that Markdown shows it as it is, also in a table: no link, image, icon or HTML comes of it. */
export function escapeMarkdown(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]()<>#+\-.!|~$&:@/]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A link that runs a command with the given arguments. */
export function commandLink(label: string, command: string, ...args: string[]): string {
  // Parentheses survive encodeURIComponent and would end the link.
  const query = encodeURIComponent(JSON.stringify(args)).replace(/[()']/g, (character) => {
    return `%${character.charCodeAt(0).toString(16)}`;
  });
  return `[${label}](command:${command}${args.length === 0 ? '' : `?${query}`})`;
}

/** Text of any origin for a notification, which makes links of `[label](command:…)`: here it makes none. */
export function withoutLinks(text: string): string {
  return printable(text).replaceAll('](', '] (');
}
