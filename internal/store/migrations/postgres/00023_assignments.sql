-- What one principal has, in the order of assignment.

-- +goose Up
CREATE INDEX assignments_principal ON assignments (principal_id, tenant_id, row_id);
