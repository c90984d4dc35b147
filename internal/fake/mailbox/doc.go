// Package mailbox is a mail server in memory: SMTP as a real library speaks it, over plain connections, STARTTLS or TLS, with
// logins, and with failures on demand at each step of a delivery. What it has taken can be read as people would read it.
//
//	CONNECT ─► AUTH ─► MAIL FROM ─► RCPT TO ─► DATA ─► taken ─► answered
//	   └─────────┴─────────┴───────────┴─────────┴────────┴──── a Failure can be put at each
//
// It is for tests and trials, and takes part in no decision. It imports nothing of ours.
package mailbox
