import type { LitElement } from 'lit';

function focused(): HTMLElement | null {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element instanceof HTMLElement ? element : null;
}

/**
 * Keeps the focus over an update, to be called before it: a node that is moved loses its focus. Where the node is gone,
 * `instead` is called.
 */
export function keepFocus(host: LitElement, instead?: () => void): void {
  if (!host.shadowRoot?.activeElement) return;
  const before = focused();
  void host.updateComplete.then(() => {
    if (document.activeElement !== document.body) return;
    if (before?.isConnected) before.focus({ preventScroll: true });
    else instead?.();
  });
}

/** The button of vscode-elements presses itself on Space but lets the page scroll as well. */
export function keepSpaceFromScrolling(event: KeyboardEvent): void {
  const [target] = event.composedPath();
  if (event.key === ' ' && target instanceof Element && target.localName === 'vscode-button') event.preventDefault();
}
