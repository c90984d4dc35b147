// Package alertmanager receives what Alertmanager sends to webhooks, version 4 of its payload, so that what Prometheus finds is
// told to the same people, in the same way, as what Dogker finds itself.
//
//	Alertmanager ──POST──► authentication, RBAC ──► Handler ──by label namespace──► Receivers of the tenant ──► outbox
//	                                                              └─ others ──────► Receivers of the platform
//
// What holds:
//
//   - Who may post is decided by the API server before: RBAC on the path. Senders speak for all tenants.
//   - Alertmanager has grouped and waited. One request is one notice for each tenant and receiver; the same alerts, which began at
//     the same times and are in the same states, are told once, whoever sends them how often.
//   - Nothing is kept but in the outbox. What could not be put there is answered with 503, and Alertmanager tries again.
//
// It must not import controllers.
package alertmanager
