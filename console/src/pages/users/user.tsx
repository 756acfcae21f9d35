import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** User */
export function UserPage() {
  return (
    <Page kind="plain">
      <PageHead title="User" help="users" />
    </Page>
  );
}
