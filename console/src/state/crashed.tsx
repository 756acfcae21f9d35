import { useRouter } from '@tanstack/react-router';
import { LoadFailed } from './blank';

/** A page that could not be shown at all. */
export function Crashed({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <main className="page">
      <LoadFailed what="This page" error={error} onRetry={() => void router.invalidate()} />
    </main>
  );
}
