import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** API credentials */
export function APICredentialPage() {
  return (
    <Page kind="plain">
      <PageHead title="API credentials" help="api-credentials" />
    </Page>
  );
}
