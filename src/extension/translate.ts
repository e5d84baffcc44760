/** `vscode.l10n.t`, for functions that shall also work where there is no VS Code. */
export type Translate = (message: string, ...args: (string | number)[]) => string;
