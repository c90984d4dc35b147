// Package mail sends notices by SMTP: one mail for each address, in text and HTML.
//
//	Notification ──► notice.Say ──► templates ──► message ──► SMTP, over a connection that was used before if there is one
//
// What holds:
//
//   - The Message-ID is a function of the notice and the address: a mail that comes twice can be told to be the same. Mails
//     about the same incidents refer to the same thread.
//   - Passwords go over encrypted connections only, but for loopback.
//   - Whatever tenants write stays text: it is escaped in HTML, and has no line breaks in headers.
//   - What the server answers decides what follows: an address that it does not know is given up, one that it does not take
//     now waits alone, and a server that cannot be used lets all mail wait. What it says is for operators; tenants are told
//     in words of our own.
//   - Every step has a deadline.
//
// It must not import controllers.
package mail
