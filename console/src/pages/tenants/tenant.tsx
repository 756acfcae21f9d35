import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Tenant */
export function TenantPage() {
  return (
    <Page kind="plain">
      <PageHead title="Tenant" help="tenants" />
    </Page>
  );
}
