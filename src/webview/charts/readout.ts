import { compact } from '../../shared/format.js';
import { lineStyle, type ChartLine } from './line.js';

/** The values under the crosshair, in a box beside it. For the eye only: the table says the same to everyone. */
export class Readout {
  readonly element = document.createElement('div');

  constructor() {
    this.element.className = 'readout';
    this.element.ariaHidden = 'true';
    this.hide();
  }

  hide(): void {
    this.element.hidden = true;
  }

  /** `left` and `width`: the crosshair's place in the plotting area and that area's width, CSS pixels. */
  show(left: number, width: number, tokens: number, entries: { line: ChartLine; value: string }[]): void {
    const rows = entries.map(({ line, value }) => {
      const style = lineStyle(line.place);
      const name = document.createElement('span');
      name.className = 'name';
      name.textContent = entries.length > 1 ? `${style.letter} ${line.name}` : line.name;
      const row = document.createElement('div');
      row.append(...(entries.length > 1 ? [name] : []), strong(value));
      row.style.setProperty('--line', `var(${style.color})`);
      return row;
    });
    const head = document.createElement('div');
    head.textContent = `${compact(tokens)} tokens`;
    this.element.replaceChildren(head, ...rows);
    this.element.hidden = false;
    const own = this.element.offsetWidth;
    const beside = left > width / 2 ? left - 8 - own : left + 8;
    this.element.style.left = `${Math.max(0, Math.min(beside, width - own))}px`;
  }
}

function strong(text: string): HTMLElement {
  const element = document.createElement('strong');
  element.textContent = text;
  return element;
}
