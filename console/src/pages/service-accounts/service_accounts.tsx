import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Service accounts */
export function ServiceAccountsPage() {
  return (
    <Page kind="plain">
      <PageHead title="Service accounts" help="service-accounts" />
    </Page>
  );
}
