-- What one principal has, and who has a role, in the order of assignment.

-- +goose Up
-- Every index ends with the row's number by itself; one that names it isn't used for the order.
DROP INDEX assignments_created;
DROP INDEX assignments_role;
CREATE INDEX assignments_created ON assignments (tenant_id);
CREATE INDEX assignments_role ON assignments (role_id, tenant_id);
CREATE INDEX assignments_principal ON assignments (principal_id, tenant_id);
