import type { Check } from './check.js';
import { loggingChecks } from './logging.js';
import { machineChecks } from './machine.js';
import type { Place } from './place.js';
import { closingChecks, serverChecks } from './server.js';
import { speedChecks } from './speed.js';
import { trainingChecks } from './training.js';

/** Everything that `iw doctor` tries, in this order. */
export const checks: readonly Check<Place>[] = [
  ...machineChecks,
  ...speedChecks,
  ...serverChecks,
  ...trainingChecks,
  ...loggingChecks,
  ...closingChecks,
];
