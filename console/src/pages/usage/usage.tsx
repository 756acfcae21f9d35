import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Usage */
export function UsagePage() {
  return (
    <Page kind="plain">
      <PageHead title="Usage" help="usage" />
    </Page>
  );
}
