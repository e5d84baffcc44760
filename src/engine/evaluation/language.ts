import type { OpenedModel } from '../data/language-data.js';
import { SplicedModel } from '../model/session.js';
import { logitsOf } from '../model/tap.js';
import type { Contexts } from '../text/contexts.js';
import type { LanguageModel } from './loss-recovered.js';

export interface LanguageOptions {
  contexts: Contexts;
  /** The contexts to choose from. */
  list: Uint32Array;
  /** Most tokens predicted; 0 leaves the cross entropies out. */
  maxTokens: number;
  threads: number;
}

export interface OpenedLanguage {
  /** Null where the cross entropies cannot be measured. */
  language: LanguageModel | null;
  /** Then the reason. */
  notes: Record<string, string>;
  dispose: () => Promise<void>;
}

/** Opens the model behind the hook point, for the cross entropies. */
export async function openLanguage(opened: OpenedModel, options: LanguageOptions): Promise<OpenedLanguage> {
  const { files, hook, graph, model } = opened;
  const { threads, ...rest } = options;
  const without = (reason: string): OpenedLanguage => ({
    language: null,
    notes: { cross_entropy: reason },
    dispose: () => Promise.resolve(),
  });
  if (rest.maxTokens === 0) return without('cross_entropy_tokens is 0.');
  if (logitsOf(graph) === null) return without('The model has no language-model head.');
  const spliced = await SplicedModel.open(files, hook, { threads, graph });
  return { language: { tapped: model, spliced, ...rest }, notes: {}, dispose: () => spliced.dispose() };
}
