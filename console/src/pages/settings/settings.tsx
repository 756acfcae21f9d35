import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Settings */
export function SettingsPage() {
  return (
    <Page kind="plain">
      <PageHead title="Settings" help="settings" />
    </Page>
  );
}
