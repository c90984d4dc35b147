// Package policy holds the rules that depend on whose container it is: the security profile, the maxima and the image
// rules of the Plan, and the ports of the Tenant. The schema of TenantContainer refuses what nobody may; this package
// refuses what this tenant may not.
//
// A rule is a row of a table: its id (docs/guides/security.md lists them), the field it looks at, and what each profile
// allows. A refusal names the field, its value, the rule and what is allowed. A field that no row knows is refused: what
// is added to the API is unknown here until somebody has thought about it.
//
// Invariants: everything here is pure; the same spec and policy give the same errors in the same order; what Default has
// filled in, Check accepts.
//
// Callers: the API server's admission, before something is stored, and the workload controller, before it runs. It
// imports api only.
package policy
