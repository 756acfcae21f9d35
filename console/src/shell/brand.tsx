/** The mark and the name. */
export function Brand() {
  return (
    <div className="brand">
      <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden>
        <rect width="20" height="20" rx="5" fill="var(--mantine-primary-color-filled)" />
        <circle cx="7.2" cy="10" r="2.7" fill="none" stroke="#fff" strokeWidth="1.6" />
        <path d="M9.9 10h6.1M13.4 10v2.4M16 10v1.8" stroke="#fff" strokeWidth="1.6" fill="none" strokeLinecap="round" />
      </svg>
      Claviger
    </div>
  );
}
