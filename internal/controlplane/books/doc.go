// Package books serves the ledger of a tenant to whoever may read it, and to nobody to write:
//
//	GET /apis/billing.dogker.io/v1alpha1/namespaces/NS/billingaccounts/default/ledger
//	    ?format=json|csv|focus|costs     what to write; json by default
//	    &month=2026-11                   a month of the account, or
//	    &from=…&to=…                     a span, in RFC 3339; to is not included; all there is by default
//	    ?verify=true                     replay everything, and say whether it holds
//
// It is a subresource, so that it has a name for RBAC (get on billingaccounts/ledger), for the audit log and for kubectl auth
// can-i. Definitions of custom kinds know no such subresource, so the handler stands in front of the one of custom kinds,
// behind authentication, audit, priority and fairness, and authorization: whoever comes this far may read.
//
// Invariants: nothing is written; a text is streamed and never held in memory as a whole, but for sums of costs; no more
// than a few are made at a time, others are told to come back; one that fails halfway ends with a broken connection and
// never looks complete.
//
// Callers: internal/controlplane. It must not import controllers.
package books
