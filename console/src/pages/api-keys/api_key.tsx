import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** API key */
export function APIKeyPage() {
  return (
    <Page kind="plain">
      <PageHead title="API key" help="api-keys" />
    </Page>
  );
}
