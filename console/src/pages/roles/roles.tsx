import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Roles */
export function RolesPage() {
  return (
    <Page kind="plain">
      <PageHead title="Roles" help="roles" />
    </Page>
  );
}
