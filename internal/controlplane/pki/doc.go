// Package pki keeps the certificates of one cluster in a directory: a certificate authority, the certificate the API is
// served with, the administrator's client certificate, and the key that signs service-account tokens.
//
// Invariants: a key and its certificate share one file and are replaced together, so no crash leaves a pair that does not
// match; private keys are 0600; Ensure changes nothing while everything is valid, so calling it at every start, and every
// few hours in between, costs a few reads; it never replaces the authority or the token key, because everything ever
// issued hangs on them.
//
// Caller: internal/controlplane. It imports the standard library and datadir only.
package pki
