import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Profile */
export function ProfilePage() {
  return (
    <Page kind="plain">
      <PageHead title="Profile" help="profile" />
    </Page>
  );
}
