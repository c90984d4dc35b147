// Package webhook posts notices to URLs: that of the platform, and those of tenants' Receivers.
//
//	Notification ──► body of a format ──► POST, signed ──► 2xx: taken
//	                                                       410: refused for good; other 4xx: refused
//	                                                       else: unreachable
//
// What is posted is signed as Standard Webhooks says, so that libraries for that can verify it:
//
//	webhook-id: <the same however often the notice is sent>
//	webhook-timestamp: <Unix time of this try>
//	webhook-signature: v1,<base64 of HMAC-SHA256(secret, id.timestamp.body)>, one for each secret, with a space between
//
// What holds:
//
//   - URLs of tenants lead to public addresses, whatever their names lead to: package outbound dials.
//   - It follows no redirect. Answers are read to a bound, and nothing of them is repeated to anybody.
//   - Errors have no URL in them: its path or its query may be a secret.
//
// It must not import controllers.
package webhook
