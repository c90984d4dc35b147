// Package conditions writes status conditions in the one way that kubectl wait, Flux and Argo CD read (the kstatus
// convention): Ready summarises and is always there; Reconciling and Stalled are there only while they are True, and
// never both.
//
//	               Ready          Reconciling   Stalled
//	MarkReady      True           -             -
//	MarkWaiting    False/Unknown  True          -
//	MarkStalled    False/Unknown  -             True
//
// Writing the same thing twice leaves the same bytes: LastTransitionTime moves only when the status changes, the order is
// fixed, and messages are cut on a rune boundary. Package check holds a status against these rules; every controller test
// ends with it.
//
// It imports apimachinery only.
package conditions
