/** What secrets are called, as the end of a name: IW_TOKEN, accessToken, x-api-key. A tokenizer's eos_token is none. */
const name = String.raw`(?:(?<!\b(?:bos|eos|pad|unk|sep|cls|mask)_)token|api[_-]?key|passw(?:or)?d|secret)`;
const secrets: readonly [RegExp, string][] = [
  [/\b(bearer[ .]+)[\w~+/.=-]+/gi, '$1…'],
  [/(\bauthorization\\*["']?\s*[=:]\s*\\*["']?(?:[a-z]+ +)?)[^\s"',;\\]+/gi, '$1…'],
  // JSON, also inside a string of JSON; a quoted value may hold spaces, and its end may be cut off.
  [new RegExp(String.raw`(${name}["']?\s*[=:]\s*)(["'])(?:(?!\2)[^\\]|\\.)*(?:\2|$)`, 'gis'), '$1$2…$2'],
  [new RegExp(String.raw`(${name}\\+["']\s*[=:]\s*\\+["'])[^"'\\]*`, 'gi'), '$1…'],
  // Addresses, environments, headers. After a colon, a number is no secret: "per token: 31.9".
  [new RegExp(String.raw`(${name}["']?(?:\s*=\s*|%3d))[^\s&"',;]+`, 'gi'), '$1…'],
  [new RegExp(String.raw`(${name}\s*:\s*)(?![\d.,]+(?![\w-]))[^\s&"',;]+`, 'gi'), '$1…'],
  [/(?<![a-z0-9])hf_[a-z0-9]{8,}/gi, 'hf_…'],
  [/(:\/\/[^\s/:@]+:)[^\s/@]+@/g, '$1…@'],
];

/** Text without what would let a reader of the log in: tokens, keys and passwords. */
export function redact(text: string): string {
  return secrets.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}
