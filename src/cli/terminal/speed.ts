import { compact } from '../../shared/format.js';
import type { Estimate } from '../../shared/messages.js';

/** `39.3k tokens/s training, 31.0k extracting, 36.9k both in 5 epochs` */
export function speedLine({ config, tokens_per_second: rates }: Estimate): string {
  const { activation_data_path: recorded, max_epochs: epochs } = config;
  const [training, extracting, both] = [rates.training, rates.extracting, rates.both].map(compact);
  const over = epochs > 1 ? ` in ${epochs} epochs` : '';
  return `${training} tokens/s training, ${extracting} ${recorded === undefined ? 'extracting' : 'reading'}, ${both} both${over}`;
}
