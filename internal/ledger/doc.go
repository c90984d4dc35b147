// Package ledger stores the books of all tenants in etcd: package book decides what an operation does, this package makes
// sure that it is done exactly once, whoever asks, however often, and whatever becomes of the answers.
package ledger
