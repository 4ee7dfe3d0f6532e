/** Durations and numbers as people read them. */

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (ms < 950) return `${Math.max(0, Math.round(ms / 100) / 10)} s`
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} min`
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
