import { useRef } from 'react';

/**
 * Headers that make a creation happen once, however often it is sent: a click that was
 * answered by a broken connection can be repeated. `renew` begins the next creation.
 */
export function useOnce() {
  const key = useRef<string>(crypto.randomUUID());
  return {
    headers: () => ({ 'Idempotency-Key': key.current }),
    renew: () => {
      key.current = crypto.randomUUID();
    },
  };
}
