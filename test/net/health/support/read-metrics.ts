export interface MetricFamily {
  type: string;
  /** Names, sorted; without a histogram's `le`. */
  labels: string[];
  /** Bounds of a histogram's buckets, to nine digits. */
  buckets: string[];
  /** By the sample's name and labels as they stand: `x_count{a="b"}`. */
  samples: Map<string, number>;
}

/** The families of a page of Prometheus' text format, by name. */
export function readMetrics(page: string): Map<string, MetricFamily> {
  const families = new Map<string, MetricFamily>();
  for (const line of page.split('\n')) {
    const [, named, type] = /^# TYPE (\S+) (\S+)/.exec(line) ?? [];
    if (named !== undefined && type !== undefined) {
      families.set(named, { type, labels: [], buckets: [], samples: new Map() });
      continue;
    }
    const [, sample = '', labels = '', value = ''] = /^(\w+)(\{.*\})? (\S+)$/.exec(line) ?? [];
    const family = families.get(sample) ?? families.get(sample.replace(/_(bucket|sum|count)$/, ''));
    if (family === undefined) continue;
    family.samples.set(`${sample}${labels}`, Number(value));
    for (const [, label = '', text = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      if (label === 'le') note(family.buckets, text === '+Inf' ? text : Number(text).toPrecision(9));
      else note(family.labels, label);
    }
    family.labels.sort();
  }
  return families;
}

function note(known: string[], value: string): void {
  if (!known.includes(value)) known.push(value);
}
