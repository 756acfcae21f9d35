import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Tenants */
export function TenantsPage() {
  return (
    <Page kind="plain">
      <PageHead title="Tenants" help="tenants" />
    </Page>
  );
}
