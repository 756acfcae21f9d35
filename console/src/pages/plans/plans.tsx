import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Plans */
export function PlansPage() {
  return (
    <Page kind="plain">
      <PageHead title="Plans" help="plans" />
    </Page>
  );
}
