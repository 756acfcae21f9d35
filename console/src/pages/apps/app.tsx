import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** App */
export function AppPage() {
  return (
    <Page kind="plain">
      <PageHead title="App" help="apps" />
    </Page>
  );
}
