// Package hostile is a table of TenantContainers that a tenant must not have: each names the rule that it breaks and the
// field that the refusal has to hold. The same table is held against the rules alone, in milliseconds, and by
// test/conformance against a server through its API.
//
// Worlds are the tenants, with their plans, that the table speaks of. Good are specs that the same worlds must accept:
// a rule that refuses everything refuses everything hostile, too.
package hostile
