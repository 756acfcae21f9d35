import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** API Keys */
export function APIKeysPage() {
  return (
    <Page kind="plain">
      <PageHead title="API Keys" help="api-keys" />
    </Page>
  );
}
