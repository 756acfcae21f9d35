/** The API reference. */
export function ReferencePage() {
  return <main className="page">Reference</main>;
}
