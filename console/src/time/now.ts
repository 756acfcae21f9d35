import { useSyncExternalStore } from 'react';

// One clock for the whole page, so that a thousand times cost one timer.
let now = new Date();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void) {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = new Date();
    for (const l of listeners) l();
  }, 30_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time, kept to half a minute. */
export function useNow(): Date {
  return useSyncExternalStore(subscribe, () => now);
}
