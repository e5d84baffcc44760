import type { StoredRecord } from './read-records.js';

/**
 * Merges sequences of records into one by time. Each keeps its own order, also where its times go back (a clock that was set);
 * of records of the same second those of an earlier sequence come first.
 */
export async function* mergeByTime(
  sequences: readonly (AsyncIterable<StoredRecord> | Iterable<StoredRecord>)[],
): AsyncGenerator<StoredRecord> {
  const all = sequences.map((sequence) => iterate(sequence));
  try {
    const waiting = await Promise.all(all.map(async (records) => ({ records, next: await records.next() })));
    for (;;) {
      let earliest: (typeof waiting)[number] | undefined;
      for (const each of waiting) {
        if (each.next.done !== true && (earliest === undefined || timeOf(each.next) < timeOf(earliest.next))) {
          earliest = each;
        }
      }
      if (earliest === undefined || earliest.next.done === true) return;
      yield earliest.next.value;
      earliest.next = await earliest.records.next();
    }
  } finally {
    for (const records of all) await records.return(undefined);
  }
}

async function* iterate(records: AsyncIterable<StoredRecord> | Iterable<StoredRecord>): AsyncGenerator<StoredRecord> {
  yield* records;
}

/** Lines that belong to no record stand at the beginning of a log, and come first. */
function timeOf({ value }: IteratorResult<StoredRecord, unknown>): number {
  return (value as StoredRecord).record?.time ?? -Infinity;
}

/** The last `count` of a sequence, in its order. */
export async function lastOf(
  records: AsyncIterable<StoredRecord> | Iterable<StoredRecord>,
  count: number,
): Promise<StoredRecord[]> {
  let kept: StoredRecord[] = [];
  for await (const record of records) {
    kept.push(record);
    if (kept.length >= 2 * count + 100) kept = kept.slice(kept.length - count);
  }
  return kept.slice(Math.max(0, kept.length - count));
}
