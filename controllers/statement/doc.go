// Package statement closes the months of tenants: when a month is over and everything of it is in the ledger, it writes the
// Statement of the month, and when statements are old enough it has the months before them archived.
//
//	BillingAccount ──► which months are over and have no Statement   (due)
//	Ledger ──────────► is everything of the month charged?           (Complete)
//	                ► what it came to                                 (build) ──► Statement 2026-11, written once
//	                ► months older than the retention                 (Archiver) ──► file, then pruned
//
// A Statement says nothing that the ledger does not: deleted, it is written again with the same bytes for as long as the
// ledger has the entries. It never changes; what is put right later belongs to a later month.
//
// Invariants: a month is closed once; it begins when the one before ended, and opens with what that closed with, or nothing
// is written and an operator is told; it is made of entries that follow from one another to the byte; nothing is archived
// whose statement is missing; a pass over what is closed writes nothing and reads no ledger.
//
// It is a Runnable for the leader that looks at every account every ten minutes. It imports api and reconciler; never an
// adapter or another controller. Callers: cmd.
package statement
