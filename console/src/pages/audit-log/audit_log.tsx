import { PageHead } from '../../shell/page_head';
import { Page } from '../../shell/page';

/** Audit log */
export function AuditLogPage() {
  return (
    <Page kind="plain">
      <PageHead title="Audit log" help="audit-log" />
    </Page>
  );
}
