import type { Tokenizer } from '../model/tokenizer.js';
import type { Contexts } from '../text/contexts.js';
import type { Example } from './collect.js';

/** An example's token with the text around it. */
export interface ExampleText {
  /** Number of the document in the text. */
  document: number;
  token: string;
  before: string;
  after: string;
}

export type TextLookup = (example: Example) => ExampleText;

const tokensBefore = 24;
const tokensAfter = 12;

/**
 * Looks up the text around a token of a context; special tokens are left out of it. What follows is decoded together with
 * the token before it, because some decoders drop the space at the start of a text.
 */
export function textAround(contexts: Contexts, tokenizer: Tokenizer): TextLookup {
  return ({ sample, position }) => {
    const ids = contexts.ids(sample);
    const text = (...tokens: number[]) => tokenizer.decode(tokens.filter((id) => !tokenizer.specialIds.has(id)));
    const token = ids[position]!;
    const following = ids.subarray(position + 1, position + 1 + tokensAfter);
    const lead = text(token);
    const led = text(token, ...following);
    return {
      document: contexts.document(sample),
      token: tokenizer.tokenText(token),
      before: text(...ids.subarray(Math.max(0, position - tokensBefore), position)),
      after: led.startsWith(lead) ? led.slice(lead.length) : text(...following),
    };
  };
}
