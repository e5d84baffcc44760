const secrets: readonly [RegExp, string][] = [
  [/\b(bearer[ .])[\w~+/.=-]+/gi, '$1…'],
  [/([?&;]|\b)((?:access_)?token|api_?key|password|secret)(["']?\s*[=:]\s*["']?)[^\s&"',;]+/gi, '$1$2$3…'],
  [/\bhf_[A-Za-z0-9]{8,}/g, 'hf_…'],
  [/(:\/\/[^\s/:@]+:)[^\s/@]+@/g, '$1…@'],
];

/** Text without what would let a reader of the log in: tokens, keys and passwords in addresses. */
export function redact(text: string): string {
  return secrets.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}
