import { html, type TemplateResult } from 'lit';
import { configKeys, describe, type SaeConfig } from '../../shared/config.js';
import { localTime, printable } from '../../shared/format.js';
import type { RunState } from '../../shared/panel.js';

const leftOut: readonly (keyof SaeConfig)[] = ['$schema', 'provenance', 'output_dir'];

/** The whole configuration of a run, and where and when it ran. */
export function detailsTable({ id, dir, createdAt, completedAt, config, progress }: RunState): TemplateResult {
  const given = configKeys.filter((key) => config[key] !== undefined && !leftOut.includes(key));
  return html`
    <details>
      <summary>Configuration</summary>
      <table class="details">
        <caption class="unseen">
          Configuration
        </caption>
        <tbody>
          ${row('Run', id)} ${row('Folder', dir)} ${row('Created', localTime(createdAt))}
          ${completedAt === null ? '' : row('Ended', localTime(completedAt))}
          ${progress.attempt === 1 ? '' : row('Attempt', String(progress.attempt))}
          ${given.map((key) => row(key, valueText(config[key]), describe(key)))}
        </tbody>
      </table>
    </details>
  `;
}

function valueText(value: unknown): string {
  return printable(Array.isArray(value) ? value.join(', ') : String(value));
}

function row(name: string, value: string, about = ''): TemplateResult {
  return html`
    <tr>
      <th scope="row">${name}</th>
      <td>${value}</td>
      <td class="about muted">${about}</td>
    </tr>
  `;
}
