import type { Translate } from '../../src/extension/translate.js';

/** What `vscode.l10n.t` does where there is no translation. */
export const translate: Translate = (message, ...args) =>
  message.replace(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)]));
