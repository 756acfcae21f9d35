import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** API catalogue */
export function APICataloguePage() {
  return (
    <Page kind="plain">
      <PageHead title="API catalogue" help="api-catalogue" />
    </Page>
  );
}
