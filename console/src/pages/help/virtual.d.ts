declare module 'virtual:help-titles' {
  const titles: { page: string; title: string }[];
  export default titles;
}
declare module 'virtual:help-texts' {
  const texts: { page: string; text: string }[];
  export default texts;
}
