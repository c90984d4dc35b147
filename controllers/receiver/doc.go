// Package receiver says in the status of a Receiver whether it can be told, and how the last deliveries did: it is the control
// loop of the kind Receiver. It delivers nothing.
//
//	spec ──► contacts, Secrets ──► Ready
//	deliveries ──────────────────► Delivering
//
// What it finds wrong keeps nobody from trying: who delivers looks by itself, each time.
//
// It imports api and reconciler. It must not import adapters: they meet in cmd/dogker.
package receiver
