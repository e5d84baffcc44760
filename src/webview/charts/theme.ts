/** What canvases take from VS Code's theme, which CSS cannot give them: colours and the font, resolved. */
export interface ChartTheme {
  color(property: string): string;
  text: string;
  grid: string;
  fontFamily: string;
}

let current: ChartTheme | null = null;
const listeners = new Set<() => void>();

/** The theme shown now; read once until it changes, as reading styles makes the browser lay out the page. */
export function chartTheme(): ChartTheme {
  current ??= readTheme();
  return current;
}

/** Calls back after the theme has changed. Returns what ends that. */
export function onThemeChange(listener: () => void): () => void {
  if (listeners.size === 0)
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  if (listeners.size === 0) observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) observer.disconnect();
    // what changes unobserved is read again
    if (listeners.size === 0) current = null;
  };
}

/** VS Code writes a theme into the root's style and names its kind in the body's class. */
const observer = new MutationObserver(() => {
  current = null;
  for (const listener of listeners) listener();
});

function readTheme(): ChartTheme {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(name).trim();
  const text = value('--vscode-foreground') || style.color;
  const highContrast = /\bvscode-high-contrast/.test(document.body.className);
  return {
    color: (property) => value(property) || text,
    text,
    grid: `color-mix(in srgb, ${text} ${highContrast ? 40 : 15}%, transparent)`,
    fontFamily: value('--vscode-font-family') || 'sans-serif',
  };
}
