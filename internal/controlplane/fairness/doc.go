// Package fairness lets the API's priority and fairness see tenants.
//
// Kubernetes shares the API out among flows, and tells flows apart by who asks, or by which namespace is asked about.
// Neither is a tenant: whoever owns one can make hundreds of service accounts and deploy tokens, each of which would get
// a share, and anybody can ask about a namespace that is not his, in the flow of those whose it is, and be refused only
// after that. Here everything that acts for a tenant and was made in its namespace is one flow:
//
//	system:serviceaccount:acme:deployer ┐
//	system:serviceaccount:acme:cron     ├─► dogker:tenant:acme, of the group dogker:tenants
//	dogker:deploy-token:acme:ci         ┘
//	jane                                ──► jane: the platform team decides how many people there are
//
// The objects that say what a flow gets are in manifests/fairness: a level of its own for tenants and people, small
// enough that what one of them floods the API with waits in that one's own queues.
//
// Invariants: only the classification of a request changes, never who asks, what the audit log names, or what RBAC
// decides. A FlowSchema that names a single service account of a tenant has no effect; that of any other does.
//
// Caller: internal/controlplane.
package fairness
