import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Role */
export function RolePage() {
  return (
    <Page kind="plain">
      <PageHead title="Role" help="roles" />
    </Page>
  );
}
