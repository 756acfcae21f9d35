import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Service account */
export function ServiceAccountPage() {
  return (
    <Page kind="plain">
      <PageHead title="Service account" help="service-accounts" />
    </Page>
  );
}
