import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Organizations */
export function OrganizationsPage() {
  return (
    <Page kind="plain">
      <PageHead title="Organizations" help="organizations" />
    </Page>
  );
}
