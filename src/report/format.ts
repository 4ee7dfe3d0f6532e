/** Durations and numbers as people read them. */

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (ms < 950) return `${Math.max(0, Math.round(ms / 100) / 10)} s`
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} min`
}

/** A duration that is not known exactly: 40 s, 4 min, 2 h. */
export function roughly(ms: number): string {
  if (ms < 15_000) return `${Math.max(1, Math.round(ms / 1000))} s`
  if (ms < 90_000) return `${Math.round(ms / 5000) * 5} s`
  return ms < 5_400_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}

/** Minutes and seconds since the start: 0:07, 61:30. */
export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

export function number(value: number): string {
  return value.toLocaleString('en-US')
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`
}
