import type { FeatureExample, LatentSummary } from '../../workbench/features.js';
import { percent, printable, real, whole } from '../../shared/format.js';
import { type Paint, plain } from './paint.js';

/** The fewest firings at which a feature's top examples say anything about it. */
const fewest = 10;
/** Latents that fire on more tokens than this are dense: they mix many meanings, and their examples have little in common. */
const dense = 0.01;

/**
 * The latents worth showing first: neither dense nor nearly dead, those with the strongest activations first. Where all
 * are dense, as in a very small SAE, the strongest of those.
 */
export function mostTelling(summaries: readonly LatentSummary[], count: number): LatentSummary[] {
  const strongest = summaries
    .filter(({ firingCount, maxActivation }) => firingCount >= fewest && maxActivation !== null)
    .sort((a, b) => b.maxActivation! - a.maxActivation! || a.latent - b.latent);
  const sparse = strongest.filter(({ frequency }) => frequency <= dense);
  return [...sparse, ...strongest.filter(({ frequency }) => frequency > dense)].slice(0, count);
}

/** A feature: how often and how strongly it fires, then its top examples with their tokens in one column. */
export function featureLines(
  summary: LatentSummary,
  examples: readonly FeatureExample[],
  columns: number,
  paint: Paint = plain,
): string[] {
  const { latent, firingCount, frequency, maxActivation, meanActivation } = summary;
  if (firingCount === 0) return [`${paint.bold(`latent ${latent}`)} · never fired`];
  const heading = [
    paint.bold(`latent ${latent}`),
    `fires on ${frequency < 0.0005 ? `${real(100 * frequency, 2)} %` : percent(frequency)} of tokens (${whole(firingCount)})`,
    `strongest ${real(maxActivation, 3)}`,
    `mean ${real(meanActivation, 3)}`,
  ].join(' · ');
  return [heading, ...examples.map((example) => exampleLine(example, columns, paint))];
}

function exampleLine(example: FeatureExample, columns: number, paint: Paint): string {
  const strength = real(example.activation, 3).padStart(8);
  if (example.token === null) return `${strength}  sample ${example.sample}, token ${example.position}`;
  const room = Math.max(8, Math.floor((columns - strength.length - 2) / 2));
  const token = cut(printable(example.token), room, 'end');
  const before = cut(printable(example.before ?? ''), room - 4, 'start').padStart(room - 4);
  const after = cut(printable(example.after ?? ''), columns - strength.length - 2 - room + 4 - token.length - 2, 'end');
  return `${strength}  ${before}${paint.dim('«')}${paint.yellow(token)}${paint.dim('»')}${after}`.trimEnd();
}

/** Text cut to a length at its start or end; what is left out is shown by a mark. */
function cut(text: string, length: number, at: 'start' | 'end'): string {
  const characters = Array.from(text);
  if (characters.length <= length) return text;
  if (length < 1) return '';
  return at === 'start'
    ? `…${characters.slice(characters.length - length + 1).join('')}`
    : `${characters.slice(0, length - 1).join('')}…`;
}
