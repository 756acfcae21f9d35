/** The documentation. */
export function HelpPage() {
  return <main className="page">Documentation</main>;
}
