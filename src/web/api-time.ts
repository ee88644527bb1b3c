/** Undefined for what no calendar has: times come from repositories. */
export function isoTime(time: number | undefined): string | undefined {
  if (time === undefined || Number.isNaN(new Date(time).getTime())) return undefined;
  const text = new Date(time).toISOString();
  return text.length === 24 ? text : undefined;
}
