/** The labels, units and definitions that cards, charts and tables show. */
export { heldOutMetrics, trainingMetrics, whyMissing, type HeldOutMetric, type Metric } from '../shared/metrics.js';
