import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Apps */
export function AppsPage() {
  return (
    <Page kind="plain">
      <PageHead title="Apps" help="apps" />
    </Page>
  );
}
