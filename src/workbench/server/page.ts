import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { packageRoot } from '../../run/bundled.js';

/** Text that a reply consists of, with headers of its own. */
export interface Text {
  text: string;
  headers: Record<string, string>;
}

/** The page that starts and watches jobs, and the policy by which a browser runs nothing in it but its own script. */
export async function readPage(): Promise<Text> {
  const file = path.join(packageRoot(), 'examples', 'clients', 'browser.html');
  // Browsers hash what they have read, in which every line ends with a line feed alone.
  const text = (await readFile(file, 'utf8')).replaceAll('\r\n', '\n');
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf('script', text)}`,
    `style-src ${hashOf('style', text)}`,
    // Not every browser counts WebSockets of the same host to 'self'.
    "connect-src 'self' ws://127.0.0.1:* ws://localhost:*",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { text, headers: { 'content-security-policy': policy.join('; ') } };
}

/** The content of an element, as a policy names it. */
function hashOf(element: string, html: string): string {
  const content = new RegExp(`<${element}[^>]*>(.*?)</${element}>`, 's').exec(html)?.[1] ?? '';
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
