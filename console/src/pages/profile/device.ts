/** What a person calls a browser: "Chrome on Windows". It is only for telling sessions apart. */
export function device(userAgent: string | undefined): string {
  if (!userAgent) return 'Unknown program';
  const browser =
    [
      ['Edg', 'Edge'],
      ['OPR', 'Opera'],
      ['Firefox', 'Firefox'],
      ['Chrome', 'Chrome'],
      ['Safari', 'Safari'],
      ['curl', 'curl'],
    ].find(([mark]) => userAgent.includes(`${mark}/`))?.[1] ?? userAgent.split(/[/ ]/)[0]!;
  const system = [
    ['iPhone', 'iPhone'],
    ['iPad', 'iPad'],
    ['Android', 'Android'],
    ['Windows', 'Windows'],
    ['Mac OS X', 'macOS'],
    ['Linux', 'Linux'],
  ].find(([mark]) => userAgent.includes(mark!))?.[1];
  return system ? `${browser} on ${system}` : browser;
}
