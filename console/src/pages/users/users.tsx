import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Users */
export function UsersPage() {
  return (
    <Page kind="plain">
      <PageHead title="Users" help="users" />
    </Page>
  );
}
