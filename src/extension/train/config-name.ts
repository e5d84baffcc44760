/** The name that makes a file a configuration of a training, from what was typed: `a`, `a.json` and `a.sae` are `a.sae.json`. */
export function configFileName(typed: string): string {
  return typed.replace(/(?:\.sae)?(?:\.json)?$/i, '.sae.json');
}
