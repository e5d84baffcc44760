/** What front ends read of a finished run's features. */
export { Features, type FeatureExample, type LatentSummary } from '../run/features.js';
