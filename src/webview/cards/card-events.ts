import type { RunAction } from '../../shared/panel.js';

/** What a person did to a card. The card changes nothing itself. */
interface CardEvents {
  act: { action: RunAction; id: string };
  'toggle-card': { id: string; open: boolean };
  /** Ticked for comparing, or no longer. */
  choose: { id: string; on: boolean };
}

export type ActEvent = CustomEvent<CardEvents['act']>;
export type ToggleEvent = CustomEvent<CardEvents['toggle-card']>;
export type ChooseEvent = CustomEvent<CardEvents['choose']>;

export function cardEvent<K extends keyof CardEvents>(type: K, detail: CardEvents[K]): CustomEvent<CardEvents[K]> {
  return new CustomEvent(type, { detail, bubbles: true, composed: true });
}
