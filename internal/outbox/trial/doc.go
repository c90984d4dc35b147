// Package trial lets an operator see whether notices arrive: it sends one that says that it is a test, by the way that all others
// take, and asks the mail server whether it would take mail.
//
//	dogker notify test ──POST──► authentication, RBAC ──► Handler ──► outbox ──► Deliverer of the leader ──► mail, webhook
//	                                                         └── waits for what becomes of it, and says so
//	dogker doctor ───────GET───► authentication, RBAC ──► Handler ──► connects to the mail server, logs in, leaves
//
// What holds: who may ask is decided by the API server before, by RBAC on the paths, which no role but that of administrators
// has. Errors are told in the words of the mail server, which are for operators. Nothing is kept here.
//
// It must not import controllers.
package trial
