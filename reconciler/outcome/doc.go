// Package outcome holds the four ways in which a reconcile pass can end. A controller returns one of them; only
// reconciler/engine turns it into conditions, events, metrics and the time of the next pass.
//
//	nil              success: status says what is, nobody is waited for
//	*Wait            somebody else must move: look again after a while
//	*Stall           only a change by somebody can help: no retry
//	any other error  unexpected: retried with back-off, observedGeneration stays
//
// It is pure and imports nothing of Kubernetes' clients.
package outcome
